/// Memory for whole vectors of ``Lanes``' width, zero at first. It has one owner, so access needs no uniqueness check as an array's does.
@safe
struct LaneBuffer<Scalar: SIMDScalar & BitwiseCopyable>: ~Copyable, @unchecked Sendable {
    typealias Vector = SIMD8<Scalar>

    let capacity: Int
    private let storage: UnsafeMutableRawPointer

    /// - Parameter capacity: scalars; rounded up to whole vectors.
    init(capacity: Int) {
        let vectors = (capacity + Vector.scalarCount - 1) / Vector.scalarCount
        let byteCount = vectors * MemoryLayout<Vector>.stride
        self.capacity = vectors * Vector.scalarCount
        unsafe storage = .allocate(byteCount: byteCount, alignment: MemoryLayout<Vector>.alignment)
        unsafe storage.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    }

    deinit { unsafe storage.deallocate() }

    @inline(__always)
    subscript(index: Int) -> Scalar {
        get {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: capacity), "index outside a lane buffer")
            return unsafe storage.load(
                fromByteOffset: index &* MemoryLayout<Scalar>.stride, as: Scalar.self)
        }
        mutating set {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: capacity), "index outside a lane buffer")
            unsafe storage.storeBytes(
                of: newValue, toByteOffset: index &* MemoryLayout<Scalar>.stride, as: Scalar.self)
        }
    }

    @inline(__always)
    subscript(vector vector: Int) -> Vector {
        get {
            precondition(
                UInt(bitPattern: vector) < UInt(bitPattern: capacity) / UInt(Vector.scalarCount),
                "vector outside a lane buffer")
            return unsafe storage.load(
                fromByteOffset: vector &* MemoryLayout<Vector>.stride, as: Vector.self)
        }
        mutating set {
            precondition(
                UInt(bitPattern: vector) < UInt(bitPattern: capacity) / UInt(Vector.scalarCount),
                "vector outside a lane buffer")
            unsafe storage.storeBytes(
                of: newValue, toByteOffset: vector &* MemoryLayout<Vector>.stride, as: Vector.self)
        }
    }
}
