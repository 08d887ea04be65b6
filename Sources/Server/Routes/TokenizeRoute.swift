internal import HTTPTypes
internal import HummingbirdCore
package import JSON
package import Tokenizer

/// `POST /tokenize`: the tokens of a text and where they stand in it.
enum TokenizeRoute {
    static let route = Route(
        .post, "/tokenize", access: .key,
        Operation(
            "tokenize", "Split a text into tokens", tag: "Text generation", body: .reference("GenerateRequest"),
            answers: [.json("The tokens", Schema.array(.reference("SimpleToken")))]
                + Operation.Answer.requestErrors)
    ) { (exchange) throws(APIError) in
        let request = try await exchange.decode(GenerateRequest.type)
        let tokens = SimpleToken.tokens(of: request.inputs, exchange.server.tokenizer, addSpecial: true)
        return .json { $0.value(tokens) }
    }
}

/// TGI's `SimpleToken`: a token with its place in a text, in bytes.
package struct SimpleToken: JSONWritable {
    package let id: TokenID
    package let text: String
    package let range: Range<Int>

    package func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("id", id)
        writer.member("text", text)
        writer.member("start", range.lowerBound)
        writer.member("stop", range.upperBound)
        writer.endObject()
    }

    /// The tokens of a text. Tokens that stand for nothing in it have an empty text at 0.
    package static func tokens(of text: String, _ tokenizer: Tokenizer, addSpecial: Bool) -> [SimpleToken] {
        let bytes = Array(text.utf8)
        let ids = tokenizer.encode(bytes, addSpecial: addSpecial, parseSpecial: true)
        let ranges = TokenPlaces.ranges(of: ids, in: bytes, tokenizer, addedSpecial: addSpecial)
        return zip(ids, ranges).map { id, range in
            SimpleToken(id: id, text: String(decoding: bytes[range ?? 0..<0], as: UTF8.self), range: range ?? 0..<0)
        }
    }
}
