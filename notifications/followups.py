"""What apps above may hang on to acknowledgements and on deliveries that died; see `accounts.followups`."""

from accounts.followups import FollowUps

# message: Message, by: User, now: datetime; only for the first acknowledgement of a message
MESSAGE_ACKNOWLEDGED = FollowUps("message acknowledged")

# delivery: Delivery, now: datetime; a permanent refusal, the 12th failure, or the tenth lost lease
DELIVERY_DEAD = FollowUps("delivery dead")
