"""A caller of OpenAI's or Groq's chat dialect, served by Anthropic."""
