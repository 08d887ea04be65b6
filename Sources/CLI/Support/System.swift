/// What the kernel tells about the machine and this process.
enum System {
    /// Bytes of memory that can be used without swapping.
    static var availableMemory: Int { kilobytes("MemAvailable", in: "/proc/meminfo") ?? Int.max }

    /// The most bytes of memory that this process has used.
    static var peakMemory: Int? { kilobytes("VmHWM", in: "/proc/self/status") }

    private static func kilobytes(_ name: String, in path: String) -> Int? {
        field(name, in: path).flatMap { $0.split(separator: " ").first }.flatMap { Int($0) }.map { $0 * 1024 }
    }

    /// The rest of a line `<name>: …`.
    private static func field(_ name: String, in path: String) -> Substring? {
        guard let content = try? readFile(path) else { return nil }
        let lines = String(decoding: content, as: UTF8.self).split(separator: "\n")
        guard let line = lines.first(where: { $0.hasPrefix(name + ":") }) else { return nil }
        return line.dropFirst(name.count + 1).drop { $0 == " " || $0 == "\t" }
    }
}
