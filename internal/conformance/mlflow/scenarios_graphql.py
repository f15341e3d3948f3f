"""Queries of the user interface, at /graphql."""

from scenarios import experiment, run


def ask(s, query, **more):
    return s("POST", "/graphql", {"query": query, **more})


def test_40_graphql(s):
    e = experiment(s, "graph", tags=[{"key": "k", "value": "v"}])
    r, other = run(s, e, run_name="one"), run(s, e, start_time=2000, run_name="two")
    for step, value in enumerate((1.5, "NaN", "Infinity", 3)):
        s("POST", "runs/log-metric", {"run_id": r, "key": "m", "value": value, "timestamp": 10 + step, "step": step})
    s("POST", "runs/log-metric", {"run_id": r, "key": "nan", "value": "NaN", "timestamp": 1, "step": 5})
    s("POST", "runs/log-parameter", {"run_id": r, "key": "p", "value": "1"})
    s("POST", "runs/log-inputs", {"run_id": r, "datasets": [{"dataset": {"name": "d", "digest": "1", "source_type": "t", "source": "s"}, "tags": [{"key": "mlflow.data.context", "value": "training"}]},
                                                            {"dataset": {"name": "d2", "digest": "2", "source_type": "t", "source": "s"}}]})
    s("POST", "registered-models/create", {"name": "of a graph"})
    s("POST", "model-versions/create", {"name": "of a graph", "source": f"runs:/{r}/model", "run_id": r})
    s("PUT", f"/api/2.0/mlflow-artifacts/artifacts/{e}/{r}/artifacts/dir/a.txt", raw="hello", headers={"Content-Type": "text/plain"})
    ask(s, 'query q {test(inputString: "abc") { output }}', operationName="q")
    ask(s, 'mutation q {testMutation(inputString: "abc") { output }}', operationName="q")
    ask(s, 'query q {mlflowGetExperiment(input: {experimentId: "%s"}) { experiment { name tags { key value } lifecycleStage workspace __typename } apiError { message } }}' % e)
    ask(s, 'query q {mlflowGetExperiment(input: {experimentId: "987654"}) { experiment { name } }}')
    ask(s, 'query q @component(name: "Test") { mlflowGetRun(input: {runId: "%s"}) { run { info { runId status userId endTime startTime } experiment { name } modelVersions { name version status aliases } '
           'data { metrics { key value timestamp step } params { key value } } inputs { datasetInputs { dataset { name profile } tags { key } } modelInputs { modelId } } outputs { modelOutputs { step } } } apiError { code } } }' % r)
    ask(s, 'query q { mlflowGetRun(input: {runId: "0123456789abcdef0123456789abcdef"}) { run { info { runId } } } }')
    ask(s, 'query q { mlflowGetMetricHistoryBulkInterval(input: {runIds: ["%s"], metricKey: "m", maxResults: 10}) { metrics { key timestamp value step runId } } }' % r)
    for kind in ("query", "mutation"):
        ask(s, kind + ' q { mlflowSearchRuns(input: { experimentIds: ["%s"], orderBy: ["start_time ASC"] }) { runs { info { runId runName } } nextPageToken } }' % e)
    ask(s, 'query q($ids: [String], $n: Int) { found: mlflowSearchRuns(input: { experimentIds: $ids, maxResults: $n }) { ...f } } fragment f on MlflowSearchRunsResponse { runs { info { runName } } }',
        variables={"ids": [e], "n": 1}, operationName="q")
    ask(s, 'mutation q { mlflowSearchDatasets(input:{experimentIds: ["%s"]}) { datasetSummaries { experimentId name digest context } } }' % e)
    ask(s, 'query q { files: mlflowListArtifacts(input: { runId: "%s" }) { files { path isDir fileSize } } sub: mlflowListArtifacts(input: { runId: "%s", path: "dir" }) { files { path isDir fileSize } } }' % (r, r))
    ask(s, 'query q { mlflowSearchModelVersions(input: {filter: "name = \'of a graph\'", maxResults: 5}) { modelVersions { name version description deploymentJobState { jobId } } nextPageToken } }')
    ask(s, 'query q { mlflowSearchRuns(input: { experimentIds: ["%s"], filter: "nonsense" }) { runs { info { runId } } } test(inputString: "x") { output } }' % e)
    ask(s, "query a { test(inputString: \"1\") { output } } query b { test(inputString: \"2\") { output } }", operationName="b")
    # Queries that are refused as a whole: what they are told is GraphQL's own.
    ask(s, "query q {" + " ".join(f'k{i}: test(inputString: "a") {{ output }}' for i in range(11)) + "}")
    ask(s, 'query q {mlflowGetExperiment(input: {experimentId: "1"}) {' + " ".join(f"e{i}: experiment {{ name }}" for i in range(11)) + "}}")
    ask(s, 'query q {mlflowGetExperiment(input: {experimentId: "1"}) { experiment { ' + "name { " * 12 + "name" + " }" * 12 + " } } }")
    ask(s, 'query q {mlflowGetExperiment(input: {experimentId: "1"}) { experiment { ' + " ".join(f"f{i} {{ name }}" for i in range(1002)) + " } } }")
    ask(s, "query q { nothing { x } }")
    ask(s, 'query q { test(inputString: "1") { output } }', operationName="z")
    ask(s, "query q {")
    s("POST", "/graphql", raw="{bad")
    assert other
