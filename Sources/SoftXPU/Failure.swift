internal import CSoftXPU
import Glibc

/// Why a call did not succeed.
struct Failure: Error {
    enum Kind {
        /// The program broke a rule of Level Zero: reported, and in strict mode the end of the process.
        case violation
        /// The device cannot do what was asked, as a real one might not (no memory, a program that does not build): reported.
        case refusal
        /// An ordinary answer that is not success, such as "not ready": not reported.
        case answer
    }

    let kind: Kind
    let result: ze_result_t
    let message: String

    static func violation(_ result: ze_result_t, _ message: String) -> Failure {
        Failure(kind: .violation, result: result, message: message)
    }
    static func refusal(_ result: ze_result_t, _ message: String) -> Failure {
        Failure(kind: .refusal, result: result, message: message)
    }
    static func answer(_ result: ze_result_t) -> Failure {
        Failure(kind: .answer, result: result, message: "")
    }
}

/// Lines on stderr.
enum Report {
    /// One line, whatever the text has.
    static func say(_ text: String) {
        let parts = text.split(separator: "\n").map { $0.drop { $0 == " " } }
        let line = Array("softxpu: \(parts.joined(separator: "; "))\n".utf8)
        var done = 0
        while done < line.count {
            let n = unsafe line[done...].withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
            if n <= 0 { return }
            done += n
        }
    }

    /// Reports a rule that was broken; in strict mode the process ends here.
    static func violation(_ text: String, strict: Bool) {
        say(text)
        if strict { end() }
    }

    /// Ends the process as a broken rule does. The line above says all there is to say: nobody's handler adds to it.
    static func end() -> Never {
        signal(SIGABRT, SIG_DFL)
        abort()
    }
}

extension ze_result_t {
    private static let names: [UInt32: String] = {
        let pairs: [(ze_result_t, String)] = [
            (ZE_RESULT_SUCCESS, "SUCCESS"), (ZE_RESULT_NOT_READY, "NOT_READY"),
            (ZE_RESULT_ERROR_DEVICE_LOST, "ERROR_DEVICE_LOST"),
            (ZE_RESULT_ERROR_OUT_OF_HOST_MEMORY, "ERROR_OUT_OF_HOST_MEMORY"),
            (ZE_RESULT_ERROR_OUT_OF_DEVICE_MEMORY, "ERROR_OUT_OF_DEVICE_MEMORY"),
            (ZE_RESULT_ERROR_MODULE_BUILD_FAILURE, "ERROR_MODULE_BUILD_FAILURE"),
            (ZE_RESULT_ERROR_UNINITIALIZED, "ERROR_UNINITIALIZED"),
            (ZE_RESULT_ERROR_DEPENDENCY_UNAVAILABLE, "ERROR_DEPENDENCY_UNAVAILABLE"),
            (ZE_RESULT_ERROR_UNSUPPORTED_FEATURE, "ERROR_UNSUPPORTED_FEATURE"),
            (ZE_RESULT_ERROR_INVALID_ARGUMENT, "ERROR_INVALID_ARGUMENT"),
            (ZE_RESULT_ERROR_INVALID_NULL_HANDLE, "ERROR_INVALID_NULL_HANDLE"),
            (ZE_RESULT_ERROR_HANDLE_OBJECT_IN_USE, "ERROR_HANDLE_OBJECT_IN_USE"),
            (ZE_RESULT_ERROR_INVALID_NULL_POINTER, "ERROR_INVALID_NULL_POINTER"),
            (ZE_RESULT_ERROR_INVALID_SIZE, "ERROR_INVALID_SIZE"),
            (ZE_RESULT_ERROR_UNSUPPORTED_SIZE, "ERROR_UNSUPPORTED_SIZE"),
            (ZE_RESULT_ERROR_UNSUPPORTED_ALIGNMENT, "ERROR_UNSUPPORTED_ALIGNMENT"),
            (ZE_RESULT_ERROR_INVALID_SYNCHRONIZATION_OBJECT, "ERROR_INVALID_SYNCHRONIZATION_OBJECT"),
            (ZE_RESULT_ERROR_INVALID_ENUMERATION, "ERROR_INVALID_ENUMERATION"),
            (ZE_RESULT_ERROR_UNSUPPORTED_ENUMERATION, "ERROR_UNSUPPORTED_ENUMERATION"),
            (ZE_RESULT_ERROR_INVALID_NATIVE_BINARY, "ERROR_INVALID_NATIVE_BINARY"),
            (ZE_RESULT_ERROR_INVALID_KERNEL_NAME, "ERROR_INVALID_KERNEL_NAME"),
            (ZE_RESULT_ERROR_INVALID_GROUP_SIZE_DIMENSION, "ERROR_INVALID_GROUP_SIZE_DIMENSION"),
            (ZE_RESULT_ERROR_INVALID_KERNEL_ARGUMENT_INDEX, "ERROR_INVALID_KERNEL_ARGUMENT_INDEX"),
            (ZE_RESULT_ERROR_INVALID_KERNEL_ARGUMENT_SIZE, "ERROR_INVALID_KERNEL_ARGUMENT_SIZE"),
            (ZE_RESULT_ERROR_INVALID_COMMAND_LIST_TYPE, "ERROR_INVALID_COMMAND_LIST_TYPE"),
            (ZE_RESULT_ERROR_OVERLAPPING_REGIONS, "ERROR_OVERLAPPING_REGIONS"),
            (ZE_RESULT_ERROR_UNKNOWN, "ERROR_UNKNOWN"),
        ]
        return Dictionary(uniqueKeysWithValues: pairs.map { ($0.rawValue, "ZE_RESULT_" + $1) })
    }()

    var name: String { Self.names[rawValue] ?? "0x" + String(rawValue, radix: 16) }
}
