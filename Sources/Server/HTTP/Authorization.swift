internal import HTTPTypes
internal import HummingbirdCore

/// The API key: `Authorization: Bearer <key>`.
struct Authorization: Sendable {
    private let expected: [UInt8]

    init(key: String) { expected = Array("Bearer \(key)".utf8) }

    func check(_ request: Request) throws(APIError) {
        guard let given = request.headers[.authorization], isExpected(Array(given.utf8)) else { throw .unauthorized }
    }

    /// Takes the same time wherever a wrong key differs.
    private func isExpected(_ given: [UInt8]) -> Bool {
        var difference = UInt(bitPattern: given.count ^ expected.count)
        for (index, byte) in given.enumerated() { difference |= UInt(byte ^ expected[index % expected.count]) }
        return difference == 0
    }
}
