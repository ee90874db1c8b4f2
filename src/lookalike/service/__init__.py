"""lookalike as a service: an API, a page for people, and what watches over both.

`app.create_app` makes the application; `lookalike serve` runs it. Needs the extra `serve`.
"""
