internal import Chat
internal import JSON

/// What a chat request asks of the model: the text of its template, and the parameters with what its tools and format demand.
struct ChatPrompt: Sendable {
    let text: String
    let parameters: GenerateParameters

    /// Checks tools, then writes the conversation.
    /// - Throws: ``APIError/tool(_:)``, ``APIError/template(_:)`` or ``APIError/templateNotFound``, counted and logged.
    init(_ request: ChatRequest, as spanName: String, _ exchange: Exchange) throws(APIError) {
        do throws(APIError) {
            try self.init(request, exchange.server)
        } catch {
            exchange.report(
                error, in: RequestSpan(spanName, parameters: request.parameters.native.debugText, trace: exchange.trace)
            )
            throw error
        }
    }

    private init(_ request: ChatRequest, _ server: ServerContext) throws(APIError) {
        var parameters = request.parameters.native
        parameters.topNTokens = request.topLogprobs
        parameters.grammar = request.responseFormat
        var tools = request.tools ?? []
        if request.tools != nil && request.responseFormat != nil {
            throw .tool("Grammar and tools are mutually exclusive")
        }
        switch request.toolChoice {
        case .auto: break
        case .none: tools = []
        // A call can only be forced by a grammar, which the checks of a generation refuse in their turn.
        case .required: if !tools.isEmpty { parameters.grammar = .array(tools) }
        case .named(let name):
            tools = tools.filter { Tool.name(of: $0) == name }
            guard !tools.isEmpty else { throw .tool("Tool with name \(name) not found") }
            parameters.grammar = .array(tools)
        }
        let toolPrompt = request.toolPrompt.flatMap { $0.isEmpty ? nil : $0 } ?? Self.defaultToolPrompt
        let text: String?
        do {
            text = try server.templates.prompt(
                for: request.messages, tools: tools, toolPrompt: toolPrompt, extra: request.templateVariables)
        } catch {
            throw .template(error.templateErrorText)
        }
        guard let text else { throw .templateNotFound }
        self.text = text
        self.parameters = parameters
    }

    /// TGI's own, for templates that do not show tools.
    private static let defaultToolPrompt =
        "\nGiven the functions available, please respond with a JSON for a function call with its proper arguments that best "
        + "answers the given prompt. Respond in the format {name: function name, parameters: dictionary of argument name and "
        + "its value}.Do not use variables.\n"
}

extension ChatError {
    /// In the words of TGI's template engine, as far as clients may look for them.
    fileprivate var templateErrorText: String {
        let place = line.map { " (in <string>:\($0))" } ?? ""
        return switch kind {
        case .syntax, .raised: "syntax error: \(message)\(place)"
        case .undefined: "undefined value: \(message)\(place)"
        default: "invalid operation: \(text)\(place)"
        }
    }
}
