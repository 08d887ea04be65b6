import Foundation
import JSON
import TestSupport
import Testing

@Suite struct TemplateTests {
    private let messages = #"[{"role": "system", "content": "S"}, {"role": "user", "content": "é & <b>"}]"#
    private let source =
        "{{ bos_token }}{% for m in messages %}[{{ m.role }}]{{ m.content }}{{ eos_token }}\n{% endfor %}"
        + "{% if tools %}{{ tools | tojson }}{% endif %}{% if add_generation_prompt %}[assistant]{% endif %}"

    /// Runs `template` on files with the texts given.
    private func template(_ source: String, _ arguments: String..., input: String? = nil) throws -> Command.Result {
        let folder = try TemporaryFolder()
        let file = try folder.write(Data(source.utf8), as: "chat.jinja")
        let chat = try folder.write(Data(messages.utf8), as: "chat.json")
        return try Command.run(
            ["template", "--chat-template", file, "--messages", input == nil ? chat : "-"] + arguments,
            input: Data((input ?? "").utf8))
    }

    @Test func `The rendered prompt is printed, and nothing else`() throws {
        let result = try template(source, "--bos-token", "<s>", "--eos-token", "</s>")
        expectSuccess(result)
        #expect(result.text == "<s>[system]S</s>\n[user]é & <b></s>\n[assistant]")
        #expect(result.diagnostics.isEmpty)
        #expect(try template(source, "--no-generation-prompt").text == "[system]S\n[user]é & <b>\n")
    }

    @Test func `Messages come from standard input, tools from a file`() throws {
        let folder = try TemporaryFolder()
        let tools = try folder.write(Data(#"[{"type": "function"}]"#.utf8), as: "tools.json")
        let result = try template(source, "--tools", tools, input: #"[{"role": "user", "content": "x"}]"#)
        #expect(result.text == "[user]x\n[{\"type\": \"function\"}][assistant]")
    }

    @Test func `The time is the one given`() throws {
        let result = try template("{{ strftime_now('%d %b %Y %H:%M') }}", "--now", "2026-01-31T12:05:00")
        #expect(result.text == "31 Jan 2026 12:05")
        expectFailure(try template("", "--now", "tomorrow"), exitCode: 2, mentions: "tomorrow")
    }

    @Test func `Real templates print what Python's jinja2 does`() throws {
        guard let folder = TestData.path("data/templates") else { return }
        let data = try Data(contentsOf: URL(filePath: folder + "/cases.json"))
        let cases = try #require(try JSON.parse(Array(data)).arrayValue)
        let temporary = try TemporaryFolder()
        // All cases are tested in the module that renders them; here every 40th goes through the command.
        for (index, test) in cases.enumerated() where index.isMultiple(of: 40) {
            func text(_ key: String) throws -> String { try #require(test[key]?.stringValue) }
            var arguments = ["template", "--chat-template", "\(folder)/\(try text("template"))", "--messages"]
            let messages = try #require(test["messages"])
            arguments.append(try temporary.write(Data(messages.text().utf8), as: "\(index).json"))
            if let tools = test["tools"], !tools.isNull {
                arguments += ["--tools", try temporary.write(Data(tools.text().utf8), as: "\(index).tools.json")]
            }
            if test["add_generation_prompt"]?.boolValue == false { arguments.append("--no-generation-prompt") }
            arguments += ["--bos-token", try text("bos_token"), "--eos-token", try text("eos_token")]
            let result = try Command.run(arguments + ["--now", try text("now")])
            if let expected = test["expected"]?.stringValue {
                let isEqual = result.output == Data(expected.utf8)
                #expect(isEqual, "\(arguments[2]), case \(index)")
                #expect(result.exitCode == 0)
            } else {
                expectFailure(result, mentions: try text("error"))
            }
        }
    }

    @Test func `With a model its own template and tokens are used`() throws {
        let result = try Command.run(
            "template", "-m", ExampleModel.path, "--messages", "-", input: Data(messages.utf8))
        expectSuccess(result)
        #expect(result.text.contains("é & <b>"))
        let folder = try TemporaryFolder()
        let file = try folder.write(Data("{{ bos_token }} {{ eos_token }}".utf8), as: "tokens.jinja")
        let tokens = try Command.run(
            "template", "-m", ExampleModel.path, "--chat-template", file, "--messages", "-", input: Data("[]".utf8))
        let names = tokens.text.split(separator: " ").map(String.init)
        #expect(names.count == 2)
        #expect(result.text.contains(names[0]))
    }

    @Test func `What is wrong is told in one line`() throws {
        expectFailure(try template("{{ raise_exception('no such role') }}"), mentions: "no such role")
        expectFailure(try template("a\n{% if %}"), mentions: "chat.jinja", "line 2")
        expectFailure(try template(source, input: "{}"), mentions: "standard input", "array")
        expectFailure(try template(source, input: "[1"), mentions: "standard input", "line 1")
        expectFailure(try Command.run("template", "--messages", "x"), exitCode: 2, mentions: "--chat-template")
        expectFailure(try Command.run("template", "-m", "x"), exitCode: 2, mentions: "--messages")
        expectFailure(
            try Command.run("template", "-m", "/nonexistent.gguf", "--messages", "-"), mentions: "nonexistent")
        guard let folder = TestData.path("models") else { return }
        expectFailure(
            try Command.run(
                "template", "-m", folder + "/stories260K.gguf", "--messages", "-", input: Data("[]".utf8)),
            mentions: "stories260K.gguf has no chat template")
    }
}
