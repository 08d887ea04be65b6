internal import CSoftXPU

/// What a handle stands for. The raw value is part of the handle, so that a handle of the wrong kind is told apart from a stale one.
enum ObjectKind: UInt {
    case driver = 1, device, context, queue, list, fence, eventPool, event, module, buildLog, kernel, memoryModule

    private static let names = [
        "driver", "device", "context", "command queue", "command list", "fence", "event pool", "event", "module",
        "build log",
        "kernel", "memory module",
    ]
    var name: String { Self.names[Int(rawValue) - 1] }
}

/// Something that a program holds a handle of.
class Object {
    let kind: ObjectKind
    let serial: Int
    /// Lists may still name it.
    fileprivate(set) final var isDestroyed = false

    init(_ kind: ObjectKind, _ serial: Int) {
        self.kind = kind
        self.serial = serial
    }

    /// How messages name it.
    var label: String { "\(kind.name) #\(serial)" }
    final var handle: OpaquePointer? { unsafe OpaquePointer(bitPattern: Handle(kind, serial).bits) }
}

/// Handles are numbers, never addresses and never used twice: whatever a program does with a stale one, the driver stays sound and knows
/// what it was. Dereferenced they fault, because no address has these upper bits.
struct Handle {
    let bits: UInt

    init(_ kind: ObjectKind, _ serial: Int) {
        bits = 0x5058 << 48 | kind.rawValue << 40 | UInt(serial)
    }
    init(_ pointer: OpaquePointer) {
        bits = UInt(bitPattern: pointer)
    }

    var kind: ObjectKind? { bits >> 48 == 0x5058 ? ObjectKind(rawValue: bits >> 40 & 0xff) : nil }
    var serial: Int { Int(bits & 0xff_ffff_ffff) }
}

/// The living objects of one kind.
struct Registry<T: Object> {
    let kind: ObjectKind
    private(set) var live: [Int: T] = [:]
    private var last = 0

    init(_ kind: ObjectKind) { self.kind = kind }

    /// Makes an object under a serial number of its own.
    mutating func add(_ make: (Int) -> T) -> T {
        last += 1
        let object = make(last)
        live[last] = object
        return object
    }

    mutating func remove(_ object: T) {
        object.isDestroyed = true
        live[object.serial] = nil
    }

    /// The object of a handle that the caller passed as `parameter`.
    func find(_ pointer: OpaquePointer?, _ parameter: String) throws(Failure) -> T {
        guard let pointer = unsafe pointer else {
            throw .violation(ZE_RESULT_ERROR_INVALID_NULL_HANDLE, "\(parameter) is NULL")
        }
        let handle = unsafe Handle(pointer)
        guard let found = handle.kind else {
            throw .violation(
                ZE_RESULT_ERROR_INVALID_ARGUMENT,
                "\(parameter) is 0x\(String(handle.bits, radix: 16)), which is no handle of this driver")
        }
        guard found == kind else {
            throw .violation(
                ZE_RESULT_ERROR_INVALID_ARGUMENT,
                "\(parameter) is \(found.name) #\(handle.serial), but must be a handle of: \(kind.name)")
        }
        guard let object = live[handle.serial] else {
            throw .violation(
                ZE_RESULT_ERROR_INVALID_ARGUMENT,
                "\(parameter) is \(kind.name) #\(handle.serial), "
                    + (handle.serial <= last ? "which was destroyed" : "which never existed"))
        }
        return object
    }

    var sorted: [T] { live.values.sorted { $0.serial < $1.serial } }
}
