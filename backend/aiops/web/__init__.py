"""Pages for people: the API reference, and what an account sees of itself. Rendered here, by Jinja2, from templates."""
