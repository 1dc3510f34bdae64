"""A caller of the chat dialect, served by OpenAI on the Responses wire."""
