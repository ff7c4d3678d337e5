package uma

// Code is the value of the "error" member of an error answer.
type Code string

// The error codes of the two specifications and of the OAuth documents they
// stand on.
const (
	InvalidRequest          Code = "invalid_request"           // RFC 6749 5.2
	InvalidClient           Code = "invalid_client"            // RFC 6749 5.2
	InvalidGrant            Code = "invalid_grant"             // RFC 6749 5.2, Grant 3.3.6
	InvalidScope            Code = "invalid_scope"             // RFC 6749 5.2, Grant 3.3.6, FedAuthz 4.3
	UnauthorizedClient      Code = "unauthorized_client"       // RFC 6749 5.2
	UnsupportedGrantType    Code = "unsupported_grant_type"    // RFC 6749 5.2
	UnsupportedResponseType Code = "unsupported_response_type" // RFC 6749 4.1.2.1
	UnsupportedTokenType    Code = "unsupported_token_type"    // RFC 7009 2.2.1
	AccessDenied            Code = "access_denied"             // RFC 6749 4.1.2.1
	LoginRequired           Code = "login_required"            // OpenID Connect Core 3.1.2.6
	ConsentRequired         Code = "consent_required"          // OpenID Connect Core 3.1.2.6
	ServerError             Code = "server_error"              // RFC 6749 4.1.2.1
	TemporarilyUnavailable  Code = "temporarily_unavailable"   // RFC 6749 4.1.2.1
	InvalidToken            Code = "invalid_token"             // RFC 6750 3.1
	InsufficientScope       Code = "insufficient_scope"        // RFC 6750 3.1

	NeedInfoCode         Code = "need_info"               // Grant 3.3.6
	RequestDenied        Code = "request_denied"          // Grant 3.3.6
	RequestSubmittedCode Code = "request_submitted"       // Grant 3.3.6
	InvalidResourceID    Code = "invalid_resource_id"     // FedAuthz 4.3
	NotFound             Code = "not_found"               // FedAuthz 3.2
	UnsupportedMethod    Code = "unsupported_method_type" // FedAuthz 3.2
)

// Error is what the protocol may say about a failure: a code for programs, a
// sentence that is safe to show to the caller, and a cause for the operator's
// log alone.
type Error struct {
	Code        Code
	Description string
	Cause       error
}

// NewError makes an error from a code and a sentence that the caller may see.
// The sentence is fixed, or names a parameter or member as far as its name is
// printable. A value never belongs in it: the value may be a secret, and the
// sentence goes into headers and other people's logs.
func NewError(code Code, description string) *Error {
	return &Error{Code: code, Description: description}
}

// Because returns a copy of e that carries a cause for the log.
func (e *Error) Because(cause error) *Error {
	return &Error{Code: e.Code, Description: e.Description, Cause: cause}
}

// Error is for the operator: it tells the cause, too.
func (e *Error) Error() string {
	s := string(e.Code) + ": " + e.Description
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

func (e *Error) Unwrap() error { return e.Cause }

// Response is the error as a body (RFC 6749 5.2), without its cause.
func (e *Error) Response() ErrorResponse {
	return ErrorResponse{Error: e.Code, ErrorDescription: e.Description}
}
