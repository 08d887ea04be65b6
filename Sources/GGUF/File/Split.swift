/// A model in several files, `name-00001-of-0000N.gguf` and so on, each a GGUF file with a part of the tensors. The first has the metadata.
struct Split {
    let count: Int
    private let stem: String
    private let ending: String
    private let file: String
    private let tensorCount: Int?

    private static let numberKey = "split.no"
    private static let countKey = "split.count"
    private static let tensorCountKey = "split.tensors.count"
    private static let endings = [".gguf", ".gguf.zst"]

    /// What the first file says, or `nil` where the model is in one file.
    /// - Parameters:
    ///   - metadata: Of the file that was opened.
    ///   - path: Of that file; gives the names of the others.
    init?(_ metadata: Metadata, path: String) throws(GGUFError) {
        guard let count = try metadata.int(Self.countKey), count != 0, count != 1 else { return nil }
        file = path
        func failure(_ problem: String, key: String = Self.countKey) -> GGUFError {
            GGUFError(file: path, place: .key(key), problem: problem)
        }
        guard (2...Int(UInt16.max)).contains(count) else { throw failure("is \(count), not 1 to \(UInt16.max)") }
        self.count = count
        let number = try metadata.requiredInt(Self.numberKey)
        guard number == 0 else {
            throw failure("says file \(number + 1) of \(count): open the first file of the model", key: Self.numberKey)
        }
        guard let name = Self.parse(path) else {
            throw failure("is \(count), but the file's name does not end in \(Self.suffix(0, of: count)).gguf")
        }
        guard name.number == 0, name.count == count else {
            throw failure("is \(count), but the file's name says file \(name.number + 1) of \(name.count)")
        }
        stem = name.stem
        ending = name.ending
        tensorCount = try metadata.int(Self.tensorCountKey)
    }

    /// The path of file `number`, counted from zero.
    func path(_ number: Int) -> String { stem + Self.suffix(number, of: count) + ending }

    /// Checks what file `number` says of itself.
    func check(_ metadata: Metadata, number: Int) throws(GGUFError) {
        let ownNumber = try metadata.requiredInt(Self.numberKey)
        guard ownNumber == number else {
            throw GGUFError(
                file: metadata.file, place: .key(Self.numberKey),
                problem: "is \(ownNumber), but the file's name says \(number)")
        }
        let ownCount = try metadata.requiredInt(Self.countKey)
        guard ownCount == count else {
            throw GGUFError(
                file: metadata.file, place: .key(Self.countKey),
                problem: "is \(ownCount), but \(count) in the first file")
        }
    }

    /// Checks the number of tensors in all files together.
    func check(tensorCount found: Int) throws(GGUFError) {
        guard let tensorCount, tensorCount != found else { return }
        throw GGUFError(
            file: file, place: .key(Self.tensorCountKey),
            problem: "is \(tensorCount), but the files have \(found) tensors")
    }

    struct Name {
        let stem: String
        /// Counted from zero.
        let number: Int
        let count: Int
        let ending: String
    }

    /// The parts of a path that ends like `-00001-of-00003.gguf`.
    static func parse(_ path: String) -> Name? {
        guard let ending = endings.first(where: path.hasSuffix) else { return nil }
        let parts = path.dropLast(ending.count).split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count >= 4, parts[parts.count - 2] == "of",
            let count = number(parts[parts.count - 1]), let number = number(parts[parts.count - 3]), number >= 1
        else { return nil }
        let stem = parts.dropLast(3).joined(separator: "-")
        return Name(stem: stem, number: number - 1, count: count, ending: ending)
    }

    private static func number(_ digits: Substring) -> Int? {
        guard digits.utf8.count == 5, digits.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return Int(digits)
    }

    private static func suffix(_ number: Int, of count: Int) -> String { "-\(padded(number + 1))-of-\(padded(count))" }

    private static func padded(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
    }
}
