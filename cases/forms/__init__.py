"""What people type about cases, checked before an action sees it. A refusal stands beside its cause."""

from cases.forms.acts import (
    ActForm,
    AskForm,
    AssignForm,
    CloseForm,
    DenyForm,
    EscalateForm,
    LowerForm,
    ProposeForm,
    RaiseForm,
    RejectForm,
    ReopenForm,
    RestoredForm,
    StateForm,
)
from cases.forms.fields import (
    LineField,
    files_in_words,
    is_mostly_not_latin,
    no_control_characters,
)
from cases.forms.opening import MAX_DESCRIPTION, MAX_WATCHERS, CoverageForm, NewCaseForm
from cases.forms.talk import MAX_BODY, TalkForm
from files.forms import MAX_FILES

__all__ = [
    "MAX_BODY",
    "MAX_DESCRIPTION",
    "MAX_FILES",
    "MAX_WATCHERS",
    "ActForm",
    "AskForm",
    "AssignForm",
    "CloseForm",
    "CoverageForm",
    "DenyForm",
    "EscalateForm",
    "LineField",
    "LowerForm",
    "NewCaseForm",
    "ProposeForm",
    "RaiseForm",
    "RejectForm",
    "ReopenForm",
    "RestoredForm",
    "StateForm",
    "TalkForm",
    "files_in_words",
    "is_mostly_not_latin",
    "no_control_characters",
]
