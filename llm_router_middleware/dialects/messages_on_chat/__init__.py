"""A caller of Anthropic's dialect, served by OpenAI or Groq on Chat Completions."""
