"""The pages of contracts, software and releases: parse, one call, render. A row one may not see is a 404."""
