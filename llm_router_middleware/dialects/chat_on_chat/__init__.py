"""A caller of OpenAI's chat dialect served by Groq, and the other way round."""
