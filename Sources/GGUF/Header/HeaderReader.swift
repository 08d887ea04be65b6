/// Reads little-endian fields one after the other. Nothing is read, and nothing allocated, before it is known that the bytes are there.
@safe
struct HeaderReader: ~Copyable {
    /// What is being read, for messages.
    enum Subject {
        case header
        case key(String)
        case tensor(String)
    }

    let file: String
    var subject = Subject.header
    private(set) var offset = 0
    private var bytes: UnsafeRawBufferPointer
    /// The header cannot be longer than this.
    private let limit: Int
    /// Makes at least the given number of bytes available, from the start of the file, or as many as there are.
    private let extend: ((Int) throws(GGUFError) -> UnsafeRawBufferPointer)?

    /// A reader of bytes that are all there.
    init(file: String, bytes: UnsafeRawBufferPointer) {
        self.file = file
        unsafe self.bytes = bytes
        limit = bytes.count
        unsafe extend = nil
    }

    /// A reader of bytes that come as they are asked for.
    /// - Parameters:
    ///   - limit: The most bytes that will ever come.
    ///   - extend: See the property. What it returned before is not used again.
    init(file: String, limit: Int, extend: @escaping (Int) throws(GGUFError) -> UnsafeRawBufferPointer) {
        self.file = file
        unsafe bytes = UnsafeRawBufferPointer(start: nil, count: 0)
        self.limit = limit
        unsafe self.extend = extend
    }

    func failure(_ problem: String, at position: Int? = nil) -> GGUFError {
        let position = position ?? offset
        let place: GGUFError.Place =
            switch subject {
            case .header: .offset(position)
            case .key(let name): .key(name, offset: position)
            case .tensor(let name): .tensor(name, offset: position)
            }
        return GGUFError(file: file, place: place, problem: problem)
    }

    @inline(always)
    mutating func integer<T: FixedWidthInteger & BitwiseCopyable>(
        _ what: StaticString, as _: T.Type = T.self
    ) throws(GGUFError) -> T {
        try require(MemoryLayout<T>.size, what)
        let value = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: T.self)
        offset += MemoryLayout<T>.size
        return T(littleEndian: value)
    }

    /// A count of things that take at least `minimumBytes` each: more than the rest of the file could hold is an error.
    mutating func count(_ what: StaticString, minimumBytes: Int, maximum: Int = .max) throws(GGUFError) -> Int {
        let start = offset
        let count = try integer(what, as: UInt64.self)
        let room = (limit - offset) / minimumBytes
        guard count <= UInt64(room) else {
            throw failure("\(what) is \(count), but the file has room for \(room) at most", at: start)
        }
        guard count <= UInt64(maximum) else { throw failure("\(what) is \(count), more than \(maximum)", at: start) }
        return Int(count)
    }

    /// A string behind its length; bytes that are not UTF-8 become U+FFFD.
    mutating func string(_ what: StaticString) throws(GGUFError) -> String {
        let range = try stringRange(what)
        return unsafe String(decoding: bytes[range], as: UTF8.self)
    }

    /// A string behind its length that must be UTF-8, not empty and no longer than a 16-bit length.
    mutating func name(_ what: StaticString) throws(GGUFError) -> String {
        let range = try stringRange(what)
        let start = range.lowerBound - StringTable.prefix
        guard (1...Int(UInt16.max)).contains(range.count) else {
            throw failure("\(what) is \(range.count) bytes long, not 1 to \(UInt16.max)", at: start)
        }
        guard let name = unsafe String(validating: bytes[range], as: UTF8.self) else {
            throw failure("\(what) is not UTF-8", at: start)
        }
        return name
    }

    /// `count` strings, each behind its length.
    mutating func strings(_ count: Int) throws(GGUFError) -> StringTable {
        guard count > 0 else { return [] }
        let first = offset
        var starts: [Int] = []
        starts.reserveCapacity(count + 1)
        for _ in 0..<count { starts.append(try stringRange("a string").lowerBound - first) }
        starts.append(offset - first + StringTable.prefix)
        return unsafe StringTable(encoded: [UInt8](bytes[first..<offset]), starts: starts)
    }

    /// `count` values of a type whose every bit pattern is valid.
    mutating func values<T: BitwiseCopyable>(_ count: Int, _: T.Type = T.self) throws(GGUFError) -> [T] {
        // `count` was checked against the rest of the file, so the product cannot overflow.
        let size = count * MemoryLayout<T>.size
        try require(size, "an array")
        let source = unsafe UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + size])
        offset += size
        return unsafe [T](unsafeUninitializedCapacity: count) { buffer, initialized in
            unsafe UnsafeMutableRawBufferPointer(buffer).copyMemory(from: source)
            initialized = count
        }
    }

    /// The place of a string behind its length; the offset moves to its end.
    @inline(always)
    private mutating func stringRange(_ what: StaticString) throws(GGUFError) -> Range<Int> {
        let start = offset
        let length = try integer(what, as: UInt64.self)
        guard length <= UInt64(limit - offset) else {
            throw failure("\(what) is \(length) bytes long, but only \(limit - offset) are left", at: start)
        }
        try require(Int(length), what)
        defer { offset += Int(length) }
        return offset..<offset + Int(length)
    }

    /// Makes sure that `count` bytes from `offset` on are there.
    @inline(always)
    private mutating func require(_ count: Int, _ what: StaticString) throws(GGUFError) {
        if unsafe bytes.count - offset < count { try extendBytes(count, what) }
    }

    @inline(never)
    private mutating func extendBytes(_ count: Int, _ what: StaticString) throws(GGUFError) {
        let (end, overflow) = offset.addingReportingOverflow(count)
        if let extend = unsafe extend, !overflow, end <= limit { unsafe bytes = try extend(end) }
        let left = unsafe bytes.count - offset
        guard left >= count else {
            throw failure("the file ends inside \(what): \(count) bytes needed, \(left) left")
        }
    }
}
