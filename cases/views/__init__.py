"""The pages of cases: parse, one call, render. What people see of a row they may not see is a 404."""
