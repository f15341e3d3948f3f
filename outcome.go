package azureml

import "errors"

// ErrOutcomeUnknown is in the chain of the error of a call that is not idempotent, was sent, and whose answer was lost or
// was a fault of the service: it may have taken effect, so it was not sent again.
var ErrOutcomeUnknown = errors.New("the outcome is unknown")

// Done is the result of a long-running operation that ends with nothing, such as a deletion.
type Done struct{}
