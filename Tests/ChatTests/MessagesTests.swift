import Chat
import JSON
import Testing

@Suite struct MessagesTests {
    private func prompt(_ source: String, _ messages: JSON, tools: JSON? = nil) throws -> String {
        try ChatTemplate(source: source).prompt(for: ChatMessages(messages), tools: tools)
    }

    private let json = "{{ messages | tojson }}"

    @Test func partsBecomeText() throws {
        let parts: JSON = [
            ["type": "text", "text": "Look: "], ["type": "image_url", "image_url": ["url": "http://x/y.png"]],
            ["type": "text", "text": "."],
        ]
        #expect(
            try ChatMessages([["role": "user", "content": parts]]).messages[0].content == "Look: ![](http://x/y.png).")
    }

    @Test func nullMembersAreAbsentAndOthersStay() throws {
        let messages: JSON = [
            ["role": "user", "content": "Hi", "name": "Ann", "tool_calls": .null, "tool_call_id": .null, "extra": [1]]
        ]
        #expect(try prompt(json, messages) == #"[{"role": "user", "content": "Hi", "name": "Ann", "extra": [1]}]"#)
    }

    @Test(arguments: [
        ("{}", "messages: expected an array"),
        ("[1]", "messages[0]: expected an object"),
        (#"[{"content": "x"}]"#, "messages[0]: missing field `role`"),
        (#"[{"role": 1, "content": "x"}]"#, "messages[0]: missing field `role`"),
        (#"[{"role": "user"}]"#, "messages[0]: expected `content` or `tool_calls`"),
        (#"[{"role": "user", "content": null}]"#, "messages[0]: expected `content` or `tool_calls`"),
        (#"[{"role": "user", "content": 5}]"#, "messages[0].content: expected a string or an array of parts"),
        (
            #"[{"role": "user", "content": [{"type": "audio"}]}]"#,
            "messages[0].content[0]: expected `text` or `image_url` as its type"
        ),
        (#"[{"role": "user", "content": [{"type": "text"}]}]"#, "messages[0].content[0]: missing field `text`"),
        (#"[{"role": "assistant", "tool_calls": {}}]"#, "messages[0].tool_calls: expected an array"),
        (
            #"[{"role": "assistant", "tool_calls": [{"id": "1"}]}]"#,
            "messages[0].tool_calls[0]: missing field `function`"
        ),
        (
            #"[{"role": "assistant", "tool_calls": [{"id": 1, "function": {"name": "f", "arguments": {}}}]}]"#,
            "messages[0].tool_calls[0]: missing field `id`"
        ),
    ])
    func whatIsNoMessageIsRefused(text: String, message: String) throws {
        let json = try JSON.parse(text)
        let error = #expect(throws: ChatError.self) { try ChatMessages(json) }
        #expect(error?.kind == .input)
        #expect(error?.description == message)
    }

    private func call(_ arguments: JSON, key: String = "arguments") -> JSON {
        let function = JSONObject([("name", "f"), (key, arguments)])
        let call: JSON = ["id": "call00001", "type": "function", "function": .object(function)]
        return [["role": "user", "content": "x"], ["role": "assistant", "content": .null, "tool_calls": [call]]]
    }

    private let objectTemplate = """
        {% for m in messages %}{{ m.content }}{% for c in m.tool_calls %}\
        {{ c.function.name }}({{ c.function.arguments | tojson }}){% endfor %}{% endfor %}
        """
    private let textTemplate = """
        {% for m in messages %}{{ m.content or '' }}{% for c in m.tool_calls %}\
        {{ c.function.name + '(' + c.function.arguments + ')' }}{% endfor %}{% endfor %}
        """

    @Test func argumentsComeAsTheTemplateWantsThem() throws {
        for template in [objectTemplate, textTemplate] {
            #expect(try prompt(template, call(["a": [1, .null]])) == #"xf({"a": [1, null]})"#)
            #expect(try prompt(template, call(#"{"a":[1,null]}"#)) == #"xf({"a": [1, null]})"#)
            #expect(try prompt(template, call(["a": [1, .null]], key: "parameters")) == #"xf({"a": [1, null]})"#)
        }
        #expect(try prompt(textTemplate, call("not JSON")) == "xf(not JSON)")
    }

    @Test func missingContentIsWhatTheTemplateTestsFor() throws {
        let calls = "{% for c in m.tool_calls %}{{ c.function.name }}{{ c.function.arguments | tojson }}{% endfor %}"
        let isNone =
            "{% for m in messages %}{% if m.content is none %}\(calls){% else %}{{ m.content }}{% endif %}{% endfor %}"
        #expect(try prompt(isNone, call(["a": 1])) == #"xf{"a": 1}"#)
        let isText = "{% for m in messages %}{{ m.content + '' }}{% if m.tool_calls %}\(calls){% endif %}{% endfor %}"
        #expect(try prompt(isText, call(["a": 1])) == #"xf{"a": 1}"#)
    }

    @Test func contentIsInPartsWhereTheTemplateOnlyReadsParts() throws {
        let template = "{% for m in messages %}{% for p in m.content %}{{ p.text }}{% endfor %}{% endfor %}"
        #expect(try prompt(template, [["role": "user", "content": "Hello"]]) == "Hello")
    }

    @Test func aLastMessageOfTheAssistantIsContinued() throws {
        let template = """
            {% for m in messages %}<{{ m.role }}>{{ m.content | trim }}</s>
            {% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}
            """
        let user: JSON = ["role": "user", "content": "Count: 1, 2,"]
        #expect(try prompt(template, [user]) == "<user>Count: 1, 2,</s>\n<assistant>")
        let cut = "<user>Count: 1, 2,</s>\n<assistant>1, 2,"
        #expect(try prompt(template, [user, ["role": "assistant", "content": "1, 2,"]]) == cut)
        #expect(try prompt(template, [user, ["role": "assistant", "content": " 1, 2, \n"]]) == cut)
        let empty = "<user>Count: 1, 2,</s>\n<assistant></s>\n<assistant>"
        #expect(try prompt(template, [user, ["role": "assistant", "content": ""]]) == empty)
    }
}
