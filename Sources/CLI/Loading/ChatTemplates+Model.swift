import Chat
import GGUF
import JSON
import Tokenizer

extension ChatTemplates {
    /// The templates in a model's file.
    init(_ metadata: Metadata, _ tokenizer: Tokenizer) throws {
        try self.init { (key) throws(GGUFError) in try metadata.string(key) }
        takeTokens(of: tokenizer)
    }

    /// A file with one template.
    init(file path: String) throws {
        guard let source = String(validating: try readFile(path), as: UTF8.self) else {
            throw Failure("\(path): a chat template has to be UTF-8")
        }
        self.init(source: source)
        if let problem { throw Failure("\(path): \(problem)") }
    }

    /// A `tokenizer_config.json`.
    init(tokenizerConfig path: String) throws {
        do {
            try self.init(tokenizerConfig: try readJSON(path))
        } catch let error as ChatError {
            throw Failure("\(path): \(error)")
        }
    }

    /// The texts of a model's tokens, where they are not known otherwise.
    mutating func takeTokens(of tokenizer: Tokenizer) {
        bosToken = bosToken ?? tokenizer.special.bos.map { tokenizer.vocabulary.text($0) }
        eosToken = eosToken ?? tokenizer.special.eos.map { tokenizer.vocabulary.text($0) }
    }
}

/// The JSON value in a file; `-` is standard input.
func readJSON(_ path: String) throws -> JSON {
    do {
        return try JSON.parse(try readFile(path))
    } catch let error as JSONError {
        throw Failure("\(path == "-" ? "standard input" : path): \(error)")
    }
}
