import Glibc
import JSON

/// What one request did.
struct Sample: Sendable {
    /// From the start of the request to each token.
    var tokens: [Duration] = []
    /// Tokens by the server's own count, where it says so.
    var total: Int?
    var failure: String?
    var didHangUp = false

    var count: Int { max(tokens.count, total ?? 0) }
}

/// One client: sends its requests one after another.
struct Client: Sendable {
    let server: Server
    let api: API
    let tokens: Int
    let timeout: Int

    struct Server: Sendable {
        let host: String
        let port: UInt16
    }

    /// - Parameter hangUpAfter: Events to read before the connection is closed; `nil` reads to the end.
    func request(_ prompt: String, hangUpAfter: Int? = nil) -> Sample {
        var sample = Sample()
        do throws(Connection.Failure) {
            try stream(prompt, hangUpAfter, &sample)
        } catch {
            sample.failure = error.text
        }
        return sample
    }

    private func stream(_ prompt: String, _ hangUpAfter: Int?, _ sample: inout Sample) throws(Connection.Failure) {
        let start = ContinuousClock.now
        var connection = try Connection(host: server.host, port: server.port, timeout: timeout)
        try connection.post(api.path, host: "\(server.host):\(server.port)", body: api.body(prompt, tokens).text())
        let (status, _) = try connection.readHead()
        var rest = ""
        var events = 0
        while let line = try connection.line() {
            // Sizes of chunks and empty lines lie between the events, which are lines of their own.
            guard line.hasPrefix("data:") else {
                if status != 200 { rest += line }
                continue
            }
            let data = line.dropFirst(5).drop { $0 == " " }
            if data == "[DONE]" { break }
            guard let json = try? JSON.parse(String(data)) else { throw .init("not JSON: \(line)") }
            switch api.read(json) {
            case .tokens(let count):
                let time = ContinuousClock.now - start
                sample.tokens += Array(repeating: time, count: count)
            case .total(let count): sample.total = count
            case .failure(let text): throw .init(text)
            }
            events += 1
            if let hangUpAfter, events >= hangUpAfter {
                sample.didHangUp = true
                return
            }
        }
        guard status == 200 else { throw .init("status \(status): \(rest.prefix(200))") }
        guard sample.count > 0 else { throw .init("no token") }
    }
}

/// Prompts of common words, each different from the first word on, so that no cache of prefixes helps.
enum Prompts {
    private static let words = """
        the of and to in is was for that with as on by at from his it he had are but be this have an which not or her they one you \
        were all their there been who has more when no if out so up can would time what about into only new other year some
        """.split(separator: " ")

    static func make(words count: Int, seed: UInt64) -> String {
        var state = seed
        return (0..<count).map { _ in
            // SplitMix64: https://prng.di.unimi.it/splitmix64.c
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return String(words[Int((z ^ (z >> 31)) % UInt64(words.count))])
        }.joined(separator: " ")
    }
}
