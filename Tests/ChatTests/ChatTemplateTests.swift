import Chat
import JSON
import Testing

@Suite struct ChatTemplateTests {
    private let time = LocalTime("2026-01-15T09:30:00") ?? .now

    @Test(arguments: [
        ("a\nb\n{% if %}", 3, "Expected an expression, got 'end of statement block'"),
        ("{{ 1 }}\n{{ 'x }}", 2, "unexpected char \"'\" at 11"),
        ("\n\n{% nope %}", 3, "Encountered unknown tag 'nope'."),
        ("{% if x %}\n\n", 2, "Unexpected end of template."),
        ("{% for x in y %}\n{% endif %}", 2, "Encountered unknown tag 'endif'."),
        ("\n{{ x | nope }}", 2, "No filter named 'nope'."),
        ("\n\n{{ x is nope }}", 3, "No test named 'nope'."),
        ("{# a\n", 1, "Missing end of comment tag"),
        ("\n{{ (1] }}", 2, "unexpected ']', expected ')'"),
        ("{{ a\nb }}", 2, "expected token 'end of print statement', got 'b'"),
    ])
    func syntaxErrorsNameTheirLine(source: String, line: Int, message: String) {
        let error = #expect(throws: ChatError.self) { try ChatTemplate(source: source) }
        #expect(error?.kind == .syntax)
        #expect(error?.line == line)
        #expect(error?.message.hasPrefix(message) == true, "\(error?.message ?? "")")
    }

    @Test(arguments: [
        ("a\n{{ 1 / 0 }}", 2, "ZeroDivisionError: division by zero"),
        ("{% if true %}\n\n{{ x.y }}{% endif %}", 3, "'x' is undefined"),
        ("\n{% for m in messages %}\n{{ m.a.b }}{% endfor %}", 3, "'dict object' has no attribute 'a'"),
        ("{% macro f() %}\n{{ raise_exception('no') }}{% endmacro %}\n{{ f() }}", 2, "no"),
        ("\n{% set x = none + 1 %}", 2, "TypeError: unsupported operand type(s) for +: 'NoneType' and 'int'"),
        ("\n{% for x in 5 %}{% endfor %}", 2, "TypeError: 'int' object is not iterable"),
    ])
    func errorsNameTheirLine(source: String, line: Int, text: String) throws {
        let template = try ChatTemplate(source: source)
        let error = #expect(throws: ChatError.self) { try template.render(messages: [["role": "user"]]) }
        #expect(error?.line == line)
        #expect(error?.text == text)
    }

    @Test func variablesAreThoseOfTransformers() throws {
        let source =
            "{{ bos_token }}|{{ eos_token is defined }}|{{ tools }}|{{ documents }}|{{ add_generation_prompt }}|{{ x }}"
        let text = try ChatTemplate(source: source).render(
            messages: [], addGenerationPrompt: false, bosToken: "<s>", extra: JSONObject([("x", 5)]), now: time)
        #expect(text == "<s>|False|None|None|False|5")
    }

    @Test func aTemplateThatReadsToolsUsesThem() throws {
        #expect(try ChatTemplate(source: "{% if tools %}{{ tools | tojson }}{% endif %}").usesTools)
        #expect(try ChatTemplate(source: "{% macro f() %}{% for t in tools %}{% endfor %}{% endmacro %}").usesTools)
        #expect(try !ChatTemplate(source: "{% set tools = [] %}{{ tools }} 'tools'").usesTools)
        #expect(try !ChatTemplate(source: "tools").usesTools)
    }

    @Test func namedTemplatesAreChosen() throws {
        let both = ChatTemplates {
            ["tokenizer.chat_template": "plain", "tokenizer.chat_template.tool_use": "tools"][$0]
        }
        #expect(try both.template(hasTools: false)?.render(messages: []) == "plain")
        #expect(try both.template(hasTools: true)?.render(messages: []) == "tools")
        let one = ChatTemplates { ["tokenizer.chat_template": "plain"][$0] }
        #expect(try one.template(hasTools: true)?.render(messages: []) == "plain")
        let none = ChatTemplates { _ in nil }
        #expect(try none.template(hasTools: false) == nil)
        let broken = ChatTemplates {
            ["tokenizer.chat_template": "plain", "tokenizer.chat_template.tool_use": "{{"][$0]
        }
        #expect(try broken.template(hasTools: false)?.render(messages: []) == "plain")
        #expect(throws: ChatError.self) { try broken.template(hasTools: true) }
    }

    @Test func largeIntegersPassThrough() throws {
        let tools: JSON = [["maximum": .uint(.max), "minimum": .number("-123456789012345678901234567890")]]
        let text = try ChatTemplate(source: "{{ tools | tojson }} {{ tools[0].maximum }}").render(
            messages: [], tools: tools)
        #expect(
            text
                == #"[{"maximum": 18446744073709551615, "minimum": -123456789012345678901234567890}] 18446744073709551615"#
        )
    }

    @Test func aLongChatTakesMilliseconds() throws {
        let source = """
            {%- for m in messages -%}
            {%- if (m.role == 'user') != (loop.index0 % 2 == 0) -%}{{ raise_exception('order') }}{%- endif -%}
            <|im_start|>{{ m['role'] }}\n{{ m.content | trim }}{% if not loop.last %}<|im_end|>{% endif %}\n
            {%- endfor -%}
            """
        let messages = (0..<1_000).map { index -> JSON in
            ["role": .string(index % 2 == 0 ? "user" : "assistant"), "content": .string("Message \(index). ")]
        }
        let template = try ChatTemplate(source: source)
        let clock = ContinuousClock()
        let duration = try clock.measure { _ = try template.render(messages: .array(messages)) }
        print("note: 1,000 messages in \(duration)")
        // Far above what it takes: only the wrong order of growth is caught here.
        #expect(duration < .seconds(2))
    }
}
