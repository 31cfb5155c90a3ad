"""The small pieces every page is made of, as functions that return HTML.

Functions and not includes: fifty rows of five includes cost three times what the same HTML costs from
`format_html`. They take plain values (strings, datetimes, anything with the right attributes) and import
no app, so every template may use them. `portal/templatetags/pieces.py` lists them with their usage.
"""
