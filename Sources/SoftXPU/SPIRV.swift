/// What the driver reads in a SPIR-V module: its kernels with their parameters and execution modes, what it imports, what it requires.
/// Numbers are those of the SPIR-V specification.
struct SPIRV {
    struct Kernel {
        let name: String
        let parameters: [Parameter]
        let requiredGroupSize: [UInt32]?
        let subGroupSize: UInt32?
        /// Sub-group sizes that the matrix functions which it calls, itself or through others, are defined for.
        var matrixSizes: Set<UInt32> = []

        var usesMatrix: Bool { !matrixSizes.isEmpty }
    }

    struct Parameter {
        enum Kind {
            /// Global or constant memory; what it points at wants this alignment.
            case pointer(alignment: Int)
            case local(alignment: Int)
            /// A scalar, a vector or a structure by value, of so many bytes.
            case value(size: Int, type: String)
            case unsupported(String)
        }
        let name: String
        let kind: Kind
    }

    struct Problem: Error { let text: String }

    private(set) var kernels: [Kernel] = []
    /// Functions without a body.
    private(set) var imports: [String] = []
    private(set) var capabilities: Set<UInt32> = []
    /// Major and minor.
    private(set) var version: (UInt32, UInt32) = (0, 0)

    /// Reads a module. Structure that would mislead the reader is refused; whether the module is valid is for spirv-val to say.
    init(_ bytes: [UInt8]) throws(Problem) {
        guard bytes.count >= 20, bytes.count % 4 == 0 else {
            throw Problem(text: "\(bytes.count) bytes are no SPIR-V module (whole words, at least five)")
        }
        var words = [UInt32](repeating: 0, count: bytes.count / 4)
        for i in words.indices {
            words[i] =
                UInt32(bytes[4 * i]) | UInt32(bytes[4 * i + 1]) << 8 | UInt32(bytes[4 * i + 2]) << 16
                | UInt32(bytes[4 * i + 3]) << 24
        }
        guard words[0] == 0x0723_0203 else {
            throw Problem(text: "the first word is 0x\(String(words[0], radix: 16)), not SPIR-V's 0x7230203")
        }
        version = (words[1] >> 16 & 0xff, words[1] >> 8 & 0xff)
        var reader = SPIRVReader()
        var at = 5
        while at < words.count {
            let length = Int(words[at] >> 16)
            guard length > 0, at + length <= words.count else {
                throw Problem(text: "the instruction at word \(at) does not end inside of the module")
            }
            reader.read(words[at] & 0xffff, words[(at + 1)..<(at + length)])
            at += length
        }
        capabilities = reader.capabilities
        imports = reader.importedFunctions.map(\.name).sorted()
        kernels = reader.entryPoints.map { id, name in
            let modes = reader.modes[id] ?? [:]
            return Kernel(
                name: name,
                parameters: (reader.functions[id]?.parameters ?? []).map { reader.parameter($0) },
                requiredGroupSize: modes[17],
                subGroupSize: modes[35]?.first,
                matrixSizes: reader.matrixSizes(of: id))
        }
    }

    func kernel(_ name: String) -> Kernel? { kernels.first { $0.name == name } }

    /// Whether a function's mangled name is that of a matrix function, and for which sub-group size: the first operand is made of int for
    /// 8 and of short for 16.
    static func matrixSize(_ name: String) -> UInt32? {
        guard let range = name.firstRange(of: "_matrix_mad_k"), name.contains("intel_sub_group_") else { return nil }
        var rest = name[range.upperBound...].drop { $0.isNumber }
        if rest.hasPrefix("Dv") { rest = rest.dropFirst(2).drop { $0.isNumber }.dropFirst() }
        return ["i": 8, "j": 8, "s": 16, "t": 16][rest.first ?? " "]
    }
}

/// Collects what the instructions say.
struct SPIRVReader {
    struct Function {
        var parameters: [UInt32] = []
        var calls: Set<UInt32> = []
        var hasBody = false
    }
    struct TypeInfo {
        var size = 0
        var alignment = 1
        var name = ""
        /// Storage class and what it points at.
        var pointer: (storage: UInt32, to: UInt32)?
    }

    var capabilities: Set<UInt32> = []
    var entryPoints: [(UInt32, String)] = []
    var modes: [UInt32: [UInt32: [UInt32]]] = [:]
    var functions: [UInt32: Function] = [:]
    private var names: [UInt32: String] = [:]
    private var types: [UInt32: TypeInfo] = [:]
    private var constants: [UInt32: UInt32] = [:]
    private var parameterTypes: [UInt32: UInt32] = [:]
    private var byValue: Set<UInt32> = []
    private var packed: Set<UInt32> = []
    private var imported: [UInt32: String] = [:]
    private var current: UInt32 = 0

    var importedFunctions: [(id: UInt32, name: String)] {
        imported.compactMap { id, name in functions[id].map { _ in (id, name) } }
    }

    mutating func read(_ opcode: UInt32, _ words: ArraySlice<UInt32>) {
        let operands = Array(words)
        func operand(_ i: Int) -> UInt32 { i < operands.count ? operands[i] : 0 }
        switch opcode {
        case 17: capabilities.insert(operand(0))
        case 15: entryPoints.append((operand(1), Self.string(operands.dropFirst(2)).text))
        case 16: modes[operand(0), default: [:]][operand(1)] = Array(operands.dropFirst(2))
        case 5: names[operand(0)] = Self.string(operands.dropFirst(1)).text
        case 71: decorate(operands)
        case 54:
            current = operand(1)
            functions[current] = Function()
        case 55:
            functions[current]?.parameters.append(operand(1))
            parameterTypes[operand(1)] = operand(0)
        case 248: functions[current]?.hasBody = true
        case 57: functions[current]?.calls.insert(operand(2))
        case 43: constants[operand(1)] = operand(2)
        default: type(opcode, operands)
        }
    }

    private mutating func decorate(_ operands: [UInt32]) {
        guard operands.count >= 2 else { return }
        switch operands[1] {
        case 38 where operands.count > 2 && operands[2] == 2: byValue.insert(operands[0])
        case 10: packed.insert(operands[0])
        case 41:
            let (name, used) = Self.string(operands.dropFirst(2))
            if operands.count > 2 + used, operands[2 + used] == 1 { imported[operands[0]] = name }
        default: break
        }
    }

    private mutating func type(_ opcode: UInt32, _ o: [UInt32]) {
        guard let id = o.first else { return }
        func of(_ i: Int) -> TypeInfo { i < o.count ? types[o[i]] ?? TypeInfo() : TypeInfo() }
        switch opcode {
        case 20: types[id] = TypeInfo(size: 1, alignment: 1, name: "bool")
        case 21, 22:
            let bits = o.count > 1 ? Int(o[1]) : 0
            types[id] = TypeInfo(
                size: bits / 8, alignment: max(1, bits / 8), name: "\(opcode == 21 ? "int" : "float")\(bits)")
        case 23:
            let element = of(1)
            let count = o.count > 2 ? Int(o[2]) : 0
            // Three components take the room of four.
            let size = element.size &* (count == 3 ? 4 : count)
            types[id] = TypeInfo(size: size, alignment: max(1, size), name: "\(element.name)x\(count)")
        case 28:
            let element = of(1)
            let count = o.count > 2 ? Int(constants[o[2]] ?? 0) : 0
            types[id] = TypeInfo(
                size: element.size &* count, alignment: element.alignment, name: "\(element.name)[\(count)]")
        case 30:
            var info = TypeInfo(name: names[id] ?? "struct")
            for i in o.indices.dropFirst() {
                let member = of(i)
                let alignment = packed.contains(id) ? 1 : member.alignment
                info.size = (info.size &+ alignment - 1) / alignment * alignment &+ member.size
                info.alignment = max(info.alignment, alignment)
            }
            info.size = (info.size &+ info.alignment - 1) / info.alignment * info.alignment
            types[id] = info
        case 32 where o.count > 2:
            types[id] = TypeInfo(size: 8, alignment: 8, name: "pointer", pointer: (o[1], o[2]))
        default: break
        }
    }

    func parameter(_ id: UInt32) -> SPIRV.Parameter {
        let type = parameterTypes[id].flatMap { types[$0] } ?? TypeInfo()
        let kind: SPIRV.Parameter.Kind
        if let pointer = type.pointer {
            let target = types[pointer.to] ?? TypeInfo()
            switch pointer.storage {
            case 0, 5: kind = .pointer(alignment: target.alignment)
            case 4: kind = .local(alignment: target.alignment)
            case 7 where byValue.contains(id): kind = .value(size: target.size, type: target.name)
            default: kind = .unsupported("a pointer of storage class \(pointer.storage)")
            }
        } else if type.size > 0 {
            kind = .value(size: type.size, type: type.name)
        } else {
            kind = .unsupported("an image, sampler or other opaque type")
        }
        return SPIRV.Parameter(name: names[id] ?? "", kind: kind)
    }

    func matrixSizes(of entry: UInt32) -> Set<UInt32> {
        var sizes: Set<UInt32> = []
        var seen: Set<UInt32> = [entry]
        var work = [entry]
        while let id = work.popLast() {
            if let name = imported[id], let size = SPIRV.matrixSize(name) { sizes.insert(size) }
            for call in functions[id]?.calls ?? [] where seen.insert(call).inserted { work.append(call) }
        }
        return sizes
    }

    /// A literal string and the number of words it takes.
    private static func string(_ words: ArraySlice<UInt32>) -> (text: String, words: Int) {
        var bytes: [UInt8] = []
        for (i, word) in words.enumerated() {
            for shift in stride(from: UInt32(0), to: 32, by: 8) {
                let byte = UInt8(truncatingIfNeeded: word >> shift)
                if byte == 0 { return (String(decoding: bytes, as: UTF8.self), i + 1) }
                bytes.append(byte)
            }
        }
        return (String(decoding: bytes, as: UTF8.self), words.count)
    }
}
