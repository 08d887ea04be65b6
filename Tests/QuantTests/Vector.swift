import Foundation

/// One block and its decoded values, from `Vectors.txt`: a line of format name, block and values in hexadecimal.
struct Vector {
    let format: String
    let bytes: [UInt8]
    /// Bit patterns of binary32.
    let values: [UInt32]

    static let committed = Result {
        let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Vectors.txt")
        return try String(contentsOf: path, encoding: .utf8).split(separator: "\n").map(Vector.init)
    }

    private init(_ line: Substring) {
        let fields = line.split(separator: " ")
        format = String(fields[0])
        bytes = Vector.words(fields[1], digits: 2).map(UInt8.init)
        values = Vector.words(fields[2], digits: 8).map(UInt32.init)
    }

    private static func words(_ text: Substring, digits: Int) -> [UInt64] {
        let text = Array(text.utf8)
        return stride(from: 0, to: text.count, by: digits).map { start in
            UInt64(String(decoding: text[start..<start + digits], as: UTF8.self), radix: 16)!
        }
    }
}
