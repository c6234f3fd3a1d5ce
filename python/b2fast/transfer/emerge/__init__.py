"""Files made of several sources, sent and copied in any mix."""
