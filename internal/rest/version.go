package rest

// Version is the module's version, as the user agent and the tracer name it.
const Version = "0.1.0"
