import Chat
import JSON

/// A chat template of the usual size, with and without tools, over a conversation of eight messages.
func benchmarkTemplates() throws {
    let template = try ChatTemplate(source: source)
    var messages: [JSON] = [["role": "system", "content": "You answer in one sentence."]]
    for turn in 1...3 {
        messages.append(["role": "user", "content": .string("Question \(turn): what is a quantum of light called?")])
        messages.append(["role": "assistant", "content": .string("Answer \(turn): it is called a photon.")])
    }
    messages.append(["role": "user", "content": "And in how many dimensions does it live?"])
    let parameters: JSON = ["type": "object", "properties": ["city": ["type": "string"], "days": ["type": "integer"]]]
    let tools: JSON = .array(
        (1...4).map { index in
            [
                "type": "function",
                "function": [
                    "name": .string("tool_\(index)"), "description": "Looks something up.", "parameters": parameters,
                ],
            ]
        })
    let conversation = JSON.array(messages)
    try measure("template: read it", unit: "templates") { _ = try ChatTemplate(source: source) }
    try measure("template: 8 messages", unit: "renders") { _ = try template.render(messages: conversation) }
    try measure("template: 8 messages, 4 tools", unit: "renders") {
        _ = try template.render(messages: conversation, tools: tools)
    }
}

private let source = """
    {%- set ns = namespace(first=true) %}
    {%- if tools %}
        {{- '<|im_start|>system\\n' }}
        {%- if messages[0].role == 'system' %}{{- messages[0].content + '\\n\\n' }}{%- endif %}
        {{- 'You may call these functions:\\n<tools>' }}
        {%- for tool in tools %}
            {{- '\\n' }}
            {{- tool | tojson }}
        {%- endfor %}
        {{- '\\n</tools><|im_end|>\\n' }}
    {%- endif %}
    {%- for message in messages %}
        {%- if message.role == 'system' and tools and loop.first %}
            {%- continue %}
        {%- endif %}
        {%- set content = message.content | trim %}
        {%- if message.role == 'assistant' and '</think>' in content %}
            {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
        {%- endif %}
        {%- if message.role in ['user', 'assistant', 'system'] %}
            {{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>\\n' }}
        {%- elif message.role == 'tool' %}
            {{- '<|im_start|>user\\n<tool_response>\\n' + content + '\\n</tool_response><|im_end|>\\n' }}
        {%- else %}
            {{- raise_exception('unknown role ' + message.role) }}
        {%- endif %}
    {%- endfor %}
    {%- if add_generation_prompt %}
        {{- '<|im_start|>assistant\\n' }}
    {%- endif %}
    """
