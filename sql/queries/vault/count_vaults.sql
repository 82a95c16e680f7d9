SELECT count(*) AS vaults FROM vaults WHERE user_id = $1
