"""How each provider is switched on: the parameters that docs/deploy.md says to give."""

SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:millrace"
# By what the provider's models begin with; a server of one's own, which wants no key; and GPUs.
SWITCHED_ON: dict[str, dict[str, str]] = {
    "local/rules": {},
    "@cf/": {
        "AiModels": "local/rules,@cf/meta/llama-3.2-11b-vision-instruct",
        "AiPrices": "@cf/meta/llama-3.2-11b-vision-instruct=0.049/0.68",
        "CloudflareAccountId": "0123456789abcdef0123456789abcdef",
        "CloudflareApiTokenSecret": f"{SECRET}/cloudflare-AbCdEf",
    },
    "bedrock/": {
        "AiModels": "bedrock/us.amazon.nova-lite-v1:0,local/rules",
        "AiPrices": "bedrock/us.amazon.nova-lite-v1:0=0.06/0.24",
        "BedrockRegion": "us-east-1",
    },
    "openai/": {
        "AiModels": "openai/large",
        "AiPrices": "openai/large=2.5/10",
        "OpenAiApiKeySecret": f"{SECRET}/openai-AbCdEf",
    },
    "openai/ at a server of one's own": {
        "AiModels": "openai/vision",
        "AiPrices": "openai/vision=0/0",
        "OpenAiBaseUrl": "https://models.example.com/v1",
        "OpenAiMostImages": "0",
    },
    "RunPod's GPUs": {
        "GpuEndpointId": "a1b2c3d4e5f6g7",
        "GpuKeySecret": f"{SECRET}/runpod-AbCdEf",
        "GpuPrice": "0.00044",
    },
}
