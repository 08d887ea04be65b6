/// All ways in, one line each.
package enum Routes {
    package static let all: [Route] =
        HealthRoute.routes + DocumentationRoutes.pages + [
            CompatGenerateRoute.route,
            GenerateRoute.route,
            GenerateStreamRoute.route,
            ChatCompletionsRoute.route,
            CompletionsRoute.route,
            InvocationsRoute.route,
            VertexRoute.route,
            TokenizeRoute.route,
            ChatTokenizeRoute.route,
            InfoRoute.route,
            ModelsRoute.route,
            MetricsRoute.route,
            DocumentationRoutes.description,
        ]
}
