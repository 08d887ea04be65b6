internal import CSoftXPU

/// What calls have in common: required pointers, structures with a type, lists that are asked for twice.
extension Driver {
    func require<T>(_ pointer: UnsafeMutablePointer<T>?, _ name: String) throws(Failure) -> UnsafeMutablePointer<T> {
        guard let pointer = unsafe pointer else {
            throw .violation(ZE_RESULT_ERROR_INVALID_NULL_POINTER, "\(name) is NULL")
        }
        return unsafe pointer
    }

    /// A structure of the caller, which must say what it is.
    func structure<T>(
        _ pointer: UnsafeMutablePointer<T>?, _ type: ze_structure_type_t, _ field: KeyPath<T, ze_structure_type_t>,
        _ name: String
    ) throws(Failure) -> UnsafeMutablePointer<T> {
        let pointer = try unsafe require(pointer, name)
        try unsafe check(pointer.pointee[keyPath: field], type, name)
        return unsafe pointer
    }

    func structure<T>(
        _ pointer: UnsafePointer<T>?, _ type: ze_structure_type_t, _ field: KeyPath<T, ze_structure_type_t>,
        _ name: String
    ) throws(Failure) -> T {
        guard let pointer = unsafe pointer else {
            throw .violation(ZE_RESULT_ERROR_INVALID_NULL_POINTER, "\(name) is NULL")
        }
        try unsafe check(pointer.pointee[keyPath: field], type, name)
        return unsafe pointer.pointee
    }

    private func check(_ found: ze_structure_type_t, _ type: ze_structure_type_t, _ name: String) throws(Failure) {
        if found != type {
            throw .violation(
                ZE_RESULT_ERROR_INVALID_ARGUMENT,
                "\(name)->stype is 0x\(String(found.rawValue, radix: 16)), must be 0x\(String(type.rawValue, radix: 16)) for this structure"
            )
        }
    }

    /// Flags must be among those that exist.
    func check(flags: UInt32, known: UInt32, _ name: String) throws(Failure) {
        if flags & ~known != 0 {
            throw .violation(
                ZE_RESULT_ERROR_INVALID_ENUMERATION,
                "\(name) is 0x\(String(flags, radix: 16)), which has bits that mean nothing")
        }
    }

    /// Visits the structures of a pNext chain: each begins with its type and a pointer to the next.
    func extend(_ first: UnsafeRawPointer?, _ visit: (UInt32, UnsafeMutableRawPointer) -> Void) {
        var next = unsafe first
        while let structure = unsafe next {
            unsafe visit(structure.load(as: UInt32.self), UnsafeMutableRawPointer(mutating: structure))
            unsafe next = structure.load(fromByteOffset: 8, as: UnsafeRawPointer?.self)
        }
    }

    /// Answers a list: its length where the caller's is zero, otherwise as many elements as fit.
    func list<T>(_ values: [T], _ count: UnsafeMutablePointer<UInt32>?, _ out: UnsafeMutablePointer<T>?, _ name: String)
        throws(Failure)
    {
        let count = try unsafe require(count, name)
        if let out = unsafe out, unsafe count.pointee > 0 {
            for (i, value) in unsafe values.prefix(Int(count.pointee)).enumerated() { unsafe out[i] = value }
            unsafe count.pointee = min(count.pointee, UInt32(values.count))
        } else {
            unsafe count.pointee = UInt32(values.count)
        }
    }

    /// The same for structures with a type, which the caller prepares.
    func fill<Value, T>(
        _ values: [Value], _ count: UnsafeMutablePointer<UInt32>?, _ out: UnsafeMutablePointer<T>?,
        _ type: ze_structure_type_t, _ field: KeyPath<T, ze_structure_type_t>, _ name: String,
        _ write: (Value, inout T) -> Void
    ) throws(Failure) {
        let count = try unsafe require(count, "pCount")
        if let out = unsafe out, unsafe count.pointee > 0 {
            for (i, value) in unsafe values.prefix(Int(count.pointee)).enumerated() {
                try unsafe check(out[i][keyPath: field], type, "\(name)[\(i)]")
                unsafe write(value, &out[i])
            }
            unsafe count.pointee = min(count.pointee, UInt32(values.count))
        } else {
            unsafe count.pointee = UInt32(values.count)
        }
    }

    /// Writes a text into a fixed array of characters, cut to fit.
    func copy<T>(_ text: String, to field: inout T) {
        unsafe withUnsafeMutableBytes(of: &field) { bytes in
            let text = text.utf8.prefix(bytes.count - 1)
            unsafe bytes.copyBytes(from: text)
            unsafe bytes[text.count...].initializeMemory(as: UInt8.self, repeating: 0)
        }
    }

    /// Bytes that the caller asks for twice: their number where there is no buffer, then the bytes.
    func bytes(_ values: [UInt8], _ size: UnsafeMutablePointer<Int>?, _ out: UnsafeMutableRawPointer?, _ name: String)
        throws(Failure)
    {
        let size = try unsafe require(size, "pSize")
        guard let out = unsafe out else {
            unsafe size.pointee = values.count
            return
        }
        if unsafe size.pointee < values.count {
            throw .violation(
                ZE_RESULT_ERROR_INVALID_SIZE,
                unsafe "\(name) has room for \(size.pointee) bytes, \(values.count) are needed; ask for the size first")
        }
        unsafe size.pointee = values.count
        unsafe out.copyMemory(from: values, byteCount: values.count)
    }
}
