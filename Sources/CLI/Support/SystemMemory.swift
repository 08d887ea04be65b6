import Glibc

/// Bytes of memory that can be used without swapping, and the most that this process has used: as the kernel tells them.
func systemMemory() -> Int { kilobytes("MemAvailable", in: "/proc/meminfo") ?? Int.max }

func peakMemory() -> Int? { kilobytes("VmHWM", in: "/proc/self/status") }

/// The bytes of a line `<name>: <n> kB`.
private func kilobytes(_ name: String, in path: String) -> Int? {
    guard let content = try? readFile(path) else { return nil }
    for line in String(decoding: content, as: UTF8.self).split(separator: "\n") {
        let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == ":" })
        if words.count >= 2, words[0] == name { return Int(words[1]).map { $0 * 1024 } }
    }
    return nil
}
