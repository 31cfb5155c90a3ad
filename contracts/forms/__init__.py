"""What people type about contracts and releases, one module per noun."""
