import Glibc

/// `spirv-val`, which the runtime needs more than a compiler would: it aborts the process on an invalid module.
enum Validator {
    /// What is wrong with a module; nil: nothing, or the tool is not installed.
    static func problem(_ code: [UInt8]) -> String? {
        var path = Array("/tmp/softxpu-XXXXXX".utf8CString)
        let descriptor = unsafe mkstemp(&path)
        guard descriptor >= 0 else { return nil }
        close(descriptor)
        defer { unsafe unlink(path) }
        let file = unsafe path.withUnsafeBufferPointer { unsafe String(cString: $0.baseAddress!) }
        guard Files.write(file, code) else { return nil }

        var ends: [CInt] = [0, 0]
        guard unsafe pipe(&ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        unsafe posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO)
        let words: [String] = ["spirv-val", "--target-env", "opencl2.2", file]
        let arguments: [UnsafeMutablePointer<CChar>?] = unsafe words.map { unsafe strdup($0) } + [nil]
        defer { unsafe arguments.forEach { unsafe free($0) } }
        var child: pid_t = 0
        let failed = unsafe posix_spawnp(&child, "spirv-val", &actions, nil, arguments, environ)
        close(ends[1])
        defer { close(ends[0]) }
        if failed != 0 { return nil }
        let output = Files.readAll(ends[0]) ?? []
        var status: CInt = 0
        while unsafe waitpid(child, &status, 0) < 0 && errno == EINTR {}
        return status == 0 ? nil : "spirv-val: " + String(decoding: output, as: UTF8.self)
    }
}
