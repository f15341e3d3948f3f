// Package serve makes scoring servers in Go, as Azure ML expects them of a
// custom container: one port, a liveness, a readiness and a scoring route.
//
// A server is a main package of a few lines:
//
//	func main() {
//		err := serve.Run(context.Background(), func(ctx context.Context, dir string) (http.Handler, error) {
//			m, err := load(dir) // the model's folder, AZUREML_MODEL_DIR
//			if err != nil {
//				return nil, err
//			}
//			return serve.JSON(func(ctx context.Context, in Rows) (Predictions, error) { return m.Predict(in) }), nil
//		}, nil)
//		if err != nil {
//			log.Fatal(err)
//		}
//	}
//
// Collect passes the rows of a scoring call to the deployment's data collector,
// where model monitors find them.
//
// Context builds the program and writes a build context of it: a Dockerfile
// that copies one static binary. Azure builds that into an image; a local
// workspace runs it as a process. RunBatch and BatchCode are the same for batch
// scoring: a program that scores mini-batches of files. The package imports neither the storage nor
// the identity client, so that what runs in the container stays small.
package serve
