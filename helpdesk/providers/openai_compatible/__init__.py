"""An assistant behind an endpoint that speaks OpenAI's chat completions, as local servers (Ollama, vLLM) do too."""
