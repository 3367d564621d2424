//! A faithful local stand-in for Meta, Gemini, OpenAI and SMTP.
