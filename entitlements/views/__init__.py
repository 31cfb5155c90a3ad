"""Coverage, decisions, downloads, requests and notices, as pages."""
