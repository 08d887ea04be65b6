import Glibc

/// Finds the one model in a folder.
enum ModelFolder {
    /// The path itself, unless it is a folder: then the file to open in it.
    static func resolve(_ path: String) throws(GGUFError) -> String {
        guard let names = try entries(path) else { return path }
        let models = models(among: names)
        guard models.count < 2 else {
            throw GGUFError(file: path, problem: "holds several models, name one: \(models.joined(separator: ", "))")
        }
        guard let model = models.first else { throw GGUFError(file: path, problem: "holds no .gguf or .gguf.zst file") }
        return path.hasSuffix("/") ? path + model : path + "/" + model
    }

    /// File names that open a model of their own: not the later files of a split, not the vision part that belongs to another model.
    static func models(among names: [String]) -> [String] {
        names.sorted().filter { name in
            guard name.hasSuffix(".gguf") || name.hasSuffix(".gguf.zst"), !name.hasPrefix("mmproj") else {
                return false
            }
            return Split.parse(name).map { $0.number == 0 } ?? true
        }
    }

    /// The names in a folder, or `nil` if `path` is none.
    private static func entries(_ path: String) throws(GGUFError) -> [String]? {
        var status = stat()
        guard unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return nil }
        guard let folder = unsafe opendir(path) else {
            throw GGUFError(file: path, problem: "cannot open: \(String(errno: errno))")
        }
        defer { unsafe closedir(folder) }
        var names: [String] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
                unsafe name.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names
    }
}
