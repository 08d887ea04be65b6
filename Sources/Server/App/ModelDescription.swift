/// What the server says about its model.
package struct ModelDescription: Sendable {
    /// The value of `--model-id`.
    package var id: String
    /// The device in words, for `/info`.
    package var device: String
    /// The numeric type of most weights, for `/info`.
    package var dtype: String
    /// Our own version; `/info` gives TGI's as `version`.
    package var serverVersion: String
    /// The TGI version whose interface this is; clients parse it.
    package static let apiVersion = "3.3.7"
    /// What OpenAI clients get as `system_fingerprint`.
    package var fingerprint: String { "\(Self.apiVersion)-native" }

    package init(id: String, device: String, dtype: String, serverVersion: String) {
        self.id = id
        self.device = device
        self.dtype = dtype
        self.serverVersion = serverVersion
    }
}
