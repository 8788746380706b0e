// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package watching proves aadctl report on a real journal, and (make watching) the configuration
// that is shipped for rsyslog, journald, node_exporter and Prometheus.
package watching
