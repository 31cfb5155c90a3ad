"""What apps above hang on to contracts and releases; see `accounts.followups`."""

from accounts.followups import FollowUps

# release: Release, by: User, now: datetime
RELEASE_PUBLISHED = FollowUps("release published")

# contract: ServiceContract, by: User, now: datetime; also when a draft is handed in
CONTRACT_REGISTERED = FollowUps("contract registered")

# contract: ServiceContract, by: User, now: datetime
CONTRACT_APPROVED = FollowUps("contract approved")

# acceptance: Acceptance, by: User, now: datetime
RELEASE_ACCEPTED = FollowUps("release accepted")

# release: Release, by: User, now: datetime
RELEASE_WITHDRAWN = FollowUps("release withdrawn")
