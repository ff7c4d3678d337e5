package egress

import (
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
)

// Fetch gets a JSON document with a client made by [New], as FetchAs does.
func Fetch(ctx context.Context, client *http.Client, url string) ([]byte, error) {
	return FetchAs(ctx, client, url, "application/json, application/jwk-set+json", isJSON)
}

// FetchAs gets a document of a kind with a client made by [New]. accept names the
// kind in the request, and is decides on the content type of the answer. Any status
// but 200 and any other content type is an error; so is an answer in an encoding, as
// none was asked for.
func FetchAs(ctx context.Context, client *http.Client, url, accept string, is func(contentType string) bool) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("egress: %w", err)
	}
	req.Header.Set("Accept", accept)
	req.Header.Set("User-Agent", "licet")
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("egress: %w", err)
	}
	defer resp.Body.Close()
	switch contentType := resp.Header.Get("Content-Type"); {
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("egress: %s answered %d", url, resp.StatusCode)
	case resp.Header.Get("Content-Encoding") != "":
		return nil, fmt.Errorf("egress: %s answered in an encoding that was not asked for", url)
	case !is(contentType):
		return nil, fmt.Errorf("egress: %s answered with the content type %q", url, contentType)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("egress: %s: %w", url, err)
	}
	return body, nil
}

// isJSON knows application/json and the types that end in +json (RFC 6839 3.1).
func isJSON(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && (media == "application/json" ||
		strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json"))
}
