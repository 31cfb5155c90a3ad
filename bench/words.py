"""Who asks in the large world, and the words of known frequency in its texts."""

from typing import Final

CUSTOMER: Final = "contact-0@org-0000.example"
ENGINEER: Final = "engineer-0@bench.example"
ADMIN: Final = "admin-0@bench.example"

# words of known frequency, see `_words`
COMMON, PHRASE, ERROR_CODE, HOST = (
    "session",
    "lost its uplink after the failover",
    "PR1700042",
    "core-rtr-17.sel",
)
KOREAN_WORD, KOREAN_PHRASE, ONE_CASE = "장애", "경로 보호 장애 접수", "quillwort"
