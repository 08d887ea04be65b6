import Glibc

/// What the environment asks for. README.md describes every variable.
struct Options {
    /// One device per profile.
    var profiles: [Profile] = [.dg2]
    /// Whether a violation ends the process.
    var strict = false
    /// Whether commands that no barrier orders are executed in random order, and where that order starts.
    var shuffles = true
    var seed: UInt64 = 1
    /// How long submitted work may lie before the device starts it on its own, in milliseconds.
    var linger = 5
    /// How long nothing may happen in a wait without a limit before it is called a deadlock, in milliseconds.
    var stall = 2000
    var protection = Protection.whileIdle
    /// Bytes of memory of each device, instead of the profile's.
    var memory: UInt64?
    /// What the timer of each device shows when the driver starts, in ticks, instead of the host's clock.
    var timer: UInt64?
    var leaks = Leaks.report
    var failAllocation: Injection?
    var failBuild: Injection?
    var loseDevice: Injection?
    var hang: Injection?
    /// The OpenCL runtime's library.
    var runtime = "libintelocl.so"
    /// The folder of built programs; nil: none is kept.
    var cache: String?
    /// Whether a module that was not built before goes through `spirv-val`, where that is installed.
    var validates = true

    enum Leaks: String { case off, report, fail }

    /// When device memory is inaccessible: never, while nothing runs, or also to commands that do not name it.
    enum Protection: String { case never = "0", whileIdle = "1", exceptNamed = "2" }

    /// The Nth call (from 1), or with "+" every call from the Nth on.
    struct Injection {
        let at: Int
        let onward: Bool

        init?(_ text: String) {
            guard let at = Int(text.hasSuffix("+") ? String(text.dropLast()) : text), at > 0 else { return nil }
            self.at = at
            onward = text.hasSuffix("+")
        }

        func hits(_ count: Int) -> Bool { onward ? count >= at : count == at }
    }

    /// Reads the environment. What is not understood is reported and left at its default.
    static func fromEnvironment() -> Options {
        var options = Options()
        func value<T>(_ name: String, _ meaning: String, _ parse: (String) -> T?) -> T? {
            guard let text = variable(name) else { return nil }
            if let value = parse(text) { return value }
            Report.say("\(name)=\(text) is not understood (\(meaning)); it is ignored")
            return nil
        }
        func number(_ name: String) -> Int? {
            value(name, "a whole number") { Int($0).flatMap { $0 >= 0 ? $0 : nil } }
        }
        func flag(_ name: String) -> Bool? {
            value(name, "0 or 1") { ["0": false, "1": true][$0] }
        }
        func injection(_ name: String) -> Injection? {
            value(name, "a number from 1, with + for \"and all after it\"") { Injection($0) }
        }
        if let profiles = value(
            "SOFTXPU_PROFILE", "one or more of \(Profile.all.map(\.name).joined(separator: ", ")), with commas",
            { text -> [Profile]? in
                let names = text.split(separator: ",", omittingEmptySubsequences: false)
                let found = names.compactMap { name in Profile.all.first { $0.name == name } }
                return found.count == names.count ? found : nil
            })
        {
            options.profiles = profiles
        }
        options.strict = flag("SOFTXPU_STRICT") ?? options.strict
        options.shuffles = flag("SOFTXPU_SHUFFLE") ?? options.shuffles
        options.seed = number("SOFTXPU_SEED").map(UInt64.init) ?? options.seed
        options.linger = number("SOFTXPU_LINGER") ?? options.linger
        options.stall = number("SOFTXPU_STALL") ?? options.stall
        options.protection = value("SOFTXPU_PROTECT", "0, 1 or 2") { Protection(rawValue: $0) } ?? options.protection
        options.memory = number("SOFTXPU_MEMORY").map(UInt64.init)
        options.timer = number("SOFTXPU_TIMER").map(UInt64.init)
        options.leaks = value("SOFTXPU_LEAKS", "off, report or fail") { Leaks(rawValue: $0) } ?? options.leaks
        options.failAllocation = injection("SOFTXPU_FAIL_ALLOC")
        options.failBuild = injection("SOFTXPU_FAIL_BUILD")
        options.loseDevice = injection("SOFTXPU_LOSE_DEVICE")
        options.hang = injection("SOFTXPU_HANG")
        options.runtime = variable("SOFTXPU_OPENCL") ?? options.runtime
        options.validates = flag("SOFTXPU_VALIDATE") ?? options.validates
        switch variable("SOFTXPU_CACHE") {
        case "0": options.cache = nil
        case let folder?: options.cache = folder
        case nil:
            if let folder = variable("XDG_CACHE_HOME") {
                options.cache = folder + "/softxpu"
            } else if let home = variable("HOME") {
                options.cache = home + "/.cache/softxpu"
            }
        }
        return options
    }

    /// Indices that ZE_AFFINITY_MASK lets a program see; nil: all.
    static func affinityMask() -> [Int]? {
        variable("ZE_AFFINITY_MASK")?.split(separator: ",").compactMap { Int($0.prefix { $0 != "." }) }
    }

    static func variable(_ name: String) -> String? {
        guard let text = unsafe getenv(name) else { return nil }
        let value = unsafe String(cString: text)
        return value.isEmpty ? nil : value
    }
}
