/// Changes valid files in the ways that break readers: numbers of the format first, then the bytes as such.
struct Mutator {
    private var random: RandomSource

    init(_ random: RandomSource) { self.random = random }

    /// A broken (or, seldom, still valid) version of a file.
    mutating func mutate(_ file: SeedFile) -> [UInt8] {
        var bytes = file.bytes
        for _ in 0..<random.below(4) where !file.fields.isEmpty {
            let field = file.fields[random.below(file.fields.count)]
            overwrite(&bytes, field, with: number(for: field, in: bytes, fields: file.fields))
        }
        if random.chance(4) { rearrange(&bytes, file) }
        if random.chance(2) { damage(&bytes) }
        return bytes
    }

    /// A file's bytes changed without regard to what they mean.
    mutating func damage(_ bytes: inout [UInt8]) {
        for _ in 0...random.below(3) {
            switch random.below(8) {
            case 0: bytes.removeLast(random.below(bytes.count + 1))
            case 1: bytes.removeLast(min(bytes.count, 1 + random.below(8)))
            case 2, 3:
                for _ in 0...random.below(4) where !bytes.isEmpty {
                    bytes[random.below(bytes.count)] ^= 1 << random.below(8)
                }
            case 4:
                let value: UInt8 = [0x00, 0xFF, 0x80, random.byte()][random.below(4)]
                for index in random.range(in: bytes.count) { bytes[index] = value }
            case 5: bytes.removeSubrange(random.range(in: bytes.count))
            case 6:
                bytes.insert(
                    contentsOf: (0...random.below(16)).map { _ in random.byte() }, at: random.below(bytes.count + 1))
            default:
                let part = Array(bytes[random.range(in: bytes.count)])
                bytes.replaceSubrange(random.range(in: bytes.count), with: part)
            }
        }
    }

    mutating func choose(_ count: Int) -> Int { random.below(count) }
    mutating func chance(_ n: Int) -> Bool { random.chance(n) }

    /// Entries twice, missing or swapped, with the count right more often than not, so that the reader gets as far as them.
    private mutating func rearrange(_ bytes: inout [UInt8], _ file: SeedFile) {
        let (ranges, countOffset) =
            random.chance(2) ? (file.entries, SeedFile.entryCountOffset) : (file.directory, SeedFile.tensorCountOffset)
        guard !ranges.isEmpty else { return }
        let range = ranges[random.below(ranges.count)]
        let entry = Array(bytes[range])
        let honest = !random.chance(4)
        switch random.below(3) {
        case 0:
            bytes.insert(contentsOf: entry, at: range.upperBound)
            if honest { bytes[countOffset] &+= 1 }
        case 1:
            bytes.removeSubrange(range)
            if honest { bytes[countOffset] &-= 1 }
        default:
            let other = ranges[random.below(ranges.count)]
            let first = range.lowerBound < other.lowerBound ? range : other
            let second = range.lowerBound < other.lowerBound ? other : range
            guard first != second else { return }
            let (a, b) = (Array(bytes[first]), Array(bytes[second]))
            bytes.replaceSubrange(second, with: a)
            bytes.replaceSubrange(first, with: b)
        }
    }

    private func overwrite(_ bytes: inout [UInt8], _ field: SeedFile.Field, with value: UInt64) {
        for index in 0..<field.size {
            bytes[field.offset + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index))
        }
    }

    private static let interesting: [UInt64] = [
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 24, 30, 31, 32, 33, 39, 40, 41, 63, 64, 65, 127, 128,
        255, 256,
        257, 1000, 4095, 4096, 32767, 32768, 65535, 65536, 65537, 131072, 131073, 1 << 20, 1 << 24, (1 << 31) - 1,
        1 << 31,
        (1 << 32) - 1, 1 << 32, (1 << 32) + 1, 1 << 40, 1 << 48, 1 << 53, (1 << 58) + 1, 1 << 60, 1 << 61,
        (1 << 61) + 1, 1 << 62,
        (1 << 62) + 1, (1 << 63) - 1, (1 << 63) - 32, 1 << 63, (1 << 63) + 1, .max, .max - 1, .max - 7, .max - 8,
        .max - 31, .max - 32,
        0x0706_0504_0302_0100,
    ]

    private mutating func number(for field: SeedFile.Field, in bytes: [UInt8], fields: [SeedFile.Field]) -> UInt64 {
        let current = read(bytes, field)
        switch random.below(10) {
        case 0...3: return Self.interesting[random.below(Self.interesting.count)]
        case 4: return current &+ UInt64(1 + random.below(4))
        case 5: return current &- UInt64(1 + random.below(4))
        case 6: return UInt64(bytes.count - field.offset) &+ UInt64(random.below(33)) &- 16
        case 7: return read(bytes, fields[random.below(fields.count)])
        case 8: return current &* (1 << UInt64(random.below(63)))
        default: return random.next() >> UInt64(random.below(64))
        }
    }

    private func read(_ bytes: [UInt8], _ field: SeedFile.Field) -> UInt64 {
        (0..<field.size).reduce(0) { $0 | UInt64(bytes[field.offset + $1]) << UInt64(8 * $1) }
    }
}
