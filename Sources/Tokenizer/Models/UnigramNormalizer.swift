import GGUF

/// Prepares text for a unigram model: SentencePiece's compiled character map, then its rules for spaces.
struct UnigramNormalizer: Sendable {
    /// An XOR-compressed double array (Kanda et al.): prefixes of text that have a replacement.
    private let units: [UInt32]
    /// The replacements, each ended by a zero byte.
    private let replacements: [UInt8]
    private let userDefined: ByteTrie
    private let addsSpacePrefix: Bool
    private let mergesSpaces: Bool

    init(
        _ metadata: Metadata, _ vocabulary: Vocabulary, addsSpacePrefix: Bool, mergesSpaces: Bool
    ) throws(TokenizerError) {
        let map: [UInt8]
        switch metadata[Key.charactersMap] {
        case nil: map = []
        case .array(.uint8(let bytes)): map = bytes
        case .array(.int8(let bytes)): map = bytes.map { UInt8(bitPattern: $0) }
        default: throw TokenizerError(metadata, key: Key.charactersMap, problem: "is not an array of bytes")
        }
        (units, replacements) = try Self.read(map, metadata)
        var userDefined = ByteTrie()
        for id in 0..<vocabulary.count where vocabulary.attributes[id].contains(.userDefined) {
            userDefined.insert(vocabulary.keys[id], Int32(id))
        }
        self.userDefined = userDefined
        self.addsSpacePrefix = addsSpacePrefix
        self.mergesSpaces = mergesSpaces
    }

    /// Layout: size of the array in bytes (UInt32), the array, the replacements.
    private static func read(_ map: [UInt8], _ metadata: Metadata) throws(TokenizerError) -> ([UInt32], [UInt8]) {
        if map.isEmpty { return ([], []) }
        func word(_ offset: Int) -> UInt32 {
            (0..<4).reduce(0) { $0 | UInt32(map[offset + $1]) << UInt32(8 * $1) }
        }
        guard map.count > 4, Int(word(0)) + 4 < map.count else {
            throw TokenizerError(metadata, key: Key.charactersMap, problem: "is shorter than it says")
        }
        let count = Int(word(0)) / 4
        let replacements = Array(map[(4 + Int(word(0)))...])
        guard replacements.last == 0 else {
            throw TokenizerError(metadata, key: Key.charactersMap, problem: "ends inside a replacement")
        }
        return ((0..<count).map { word(4 + 4 * $0) }, replacements)
    }

    func normalize(_ text: Span<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.count + text.count / 2)
        var hasPrefix = false
        var isInWord = false
        func add(_ byte: UInt8) {
            if byte == UInt8(ascii: " ") {
                isInWord = false
                if !mergesSpaces { result += EscapedSpace.bytes }
                return
            }
            if !isInWord {
                isInWord = true
                if mergesSpaces || addsSpacePrefix && !hasPrefix {
                    result += EscapedSpace.bytes
                    hasPrefix = true
                }
            }
            result.append(byte)
        }
        var index = 0
        while index < text.count {
            if let match = userDefined.longestMatch(in: text, at: index) {
                for offset in 0..<match.length { add(text[index + offset]) }
                index += match.length
            } else if let match = replacement(in: text, at: index) {
                var offset = match.offset
                while replacements[offset] != 0 {
                    add(replacements[offset])
                    offset += 1
                }
                index += match.length
            } else {
                let (scalar, length) = UTF8Bytes.scalar(in: text, at: index)
                var bytes: [UInt8] = []
                UTF8Bytes.append(scalar, to: &bytes)
                for byte in bytes { add(byte) }
                index += length
            }
        }
        return result
    }

    /// The longest prefix of `text` at `start` that has a replacement, and where that begins.
    private func replacement(in text: Span<UInt8>, at start: Int) -> (length: Int, offset: Int)? {
        guard let root = units.first else { return nil }
        var result: (length: Int, offset: Int)?
        var node = Self.base(root)
        var index = start
        while index < text.count, text[index] != 0 {
            node ^= UInt32(text[index])
            guard node < units.count else { break }
            let unit = units[Int(node)]
            guard unit & (1 << 31 | 0xFF) == UInt32(text[index]) else { break }
            node ^= Self.base(unit)
            index += 1
            if unit >> 8 & 1 == 1 {
                guard node < units.count else { break }
                let offset = Int(units[Int(node)] & 0x7FFF_FFFF)
                guard offset < replacements.count else { break }
                result = (index - start, offset)
            }
        }
        return result
    }

    private static func base(_ unit: UInt32) -> UInt32 { (unit >> 10) << ((unit & 1 << 9) >> 6) }
}
