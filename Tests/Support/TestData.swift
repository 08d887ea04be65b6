import Glibc
package import Testing

/// The folder of test data that is not part of the repository, laid out as described in the README.
package enum TestData {
    package static let root: String? = value("TGI_RUN_TEST_DATA")
    /// Whether missing test data or tools are a failure rather than a notice.
    package static let isCI = value("CI") == "true"
    /// Whether there is an XPU: set by scripts that run the tests on one.
    package static let promisesXPU = value("TGI_RUN_TEST_XPU") != nil

    /// The path of a file below the data folder. Without the folder the calling test has nothing to check: it says so and, under
    /// `CI=true`, fails.
    package static func path(_ relative: String, sourceLocation: SourceLocation = #_sourceLocation) -> String? {
        if let root { return root + "/" + relative }
        if isCI {
            Issue.record("TGI_RUN_TEST_DATA is not set", sourceLocation: sourceLocation)
        } else {
            print("note: \(relative) not checked: TGI_RUN_TEST_DATA is not set")
        }
        return nil
    }

    private static func value(_ name: String) -> String? {
        guard let text = unsafe getenv(name) else { return nil }
        let string = unsafe String(cString: text)
        return string.isEmpty ? nil : string
    }
}
