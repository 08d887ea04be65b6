import Chat
import Foundation
import JSON
import TestSupport
import Testing

/// Chat templates of real models, with what Python's jinja2 makes of them.
@Suite struct RealTemplateTests {
    /// One conversation for one template.
    private struct Case {
        let template: String
        let name: String
        let messages: JSON
        let tools: JSON?
        let addGenerationPrompt: Bool
        let bosToken: String?
        let eosToken: String?
        let now: LocalTime
        let expected: String?
        let error: String?

        init(_ json: JSON) throws {
            template = try #require(json["template"]?.stringValue)
            name = try #require(json["name"]?.stringValue)
            messages = try #require(json["messages"])
            tools = json["tools"].flatMap { $0.isNull ? nil : $0 }
            addGenerationPrompt = try #require(json["add_generation_prompt"]?.boolValue as Bool?)
            bosToken = json["bos_token"]?.stringValue
            eosToken = json["eos_token"]?.stringValue
            now = try #require(json["now"]?.stringValue.flatMap { LocalTime($0) })
            expected = json["expected"]?.stringValue
            error = json["error"]?.stringValue
            try #require((expected == nil) != (error == nil))
        }

        func render(_ template: ChatTemplate) -> Result<String, ChatError> {
            Result { () throws(ChatError) in
                try template.render(
                    messages: messages, tools: tools, addGenerationPrompt: addGenerationPrompt, bosToken: bosToken,
                    eosToken: eosToken, now: now)
            }
        }
    }

    @Test func allCasesAreEqualToTheByte() throws {
        guard let folder = TestData.path("data/templates") else { return }
        let data = try Data(contentsOf: URL(filePath: folder + "/cases.json"))
        let cases = try #require(try JSON.parse(Array(data)).arrayValue).map { try Case($0) }
        try #require(!cases.isEmpty)
        var templates: [String: ChatTemplate] = [:]
        for test in cases {
            let template: ChatTemplate
            if let known = templates[test.template] {
                template = known
            } else {
                template = try ChatTemplate(
                    source: String(contentsOf: URL(filePath: "\(folder)/\(test.template)"), encoding: .utf8))
                templates[test.template] = template
            }
            switch test.render(template) {
            case .success(let text):
                let expected = test.expected ?? "error: \(test.error ?? "")"
                if !text.utf8.elementsEqual(expected.utf8) {
                    Issue.record("\(test.template) \(test.name): \(Self.difference(text, expected))")
                }
            case .failure(let error):
                #expect(test.error == error.text, "\(test.template) \(test.name): \(error)")
            }
        }
    }

    /// Where two texts part, with some of what is around.
    private static func difference(_ text: String, _ expected: String) -> String {
        let (a, b) = (Array(text.unicodeScalars), Array(expected.unicodeScalars))
        let same = zip(a, b).prefix { $0 == $1 }.count
        func excerpt(_ scalars: [Unicode.Scalar]) -> String {
            var view = String.UnicodeScalarView()
            view.append(contentsOf: scalars[max(0, same - 30)..<min(scalars.count, same + 60)])
            return String(view).debugDescription
        }
        return "at \(same): \(excerpt(a)) for \(excerpt(b))"
    }
}
