<DTSControl>
  <Version>1.0</Version>
  <AddressType>DTS</AddressType>
  <MessageType>Data</MessageType>
  <WorkflowId>PATH_MEDRPT_V3</WorkflowId>
  <To_DTS>X26CD002</To_DTS>
  <From_DTS>X26AB001</From_DTS>
  <Subject>Results batch 41</Subject>
  <LocalId>LAB-000041</LocalId>
  <Compress>Y</Compress>
  <AllowChunking>Y</AllowChunking>
  <Encrypted>N</Encrypted>
</DTSControl>
